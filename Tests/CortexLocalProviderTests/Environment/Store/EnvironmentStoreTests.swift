import CortexControlPlane
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(2))) struct EnvironmentStoreTests {
    private let sample: SampleStore
    private var store: EnvironmentStore { self.sample.store }

    init() throws { self.sample = try SampleStore() }

    /// Makes an environment that is told from others by its mark, where nobody else is doing so.
    private func make(_ key: EnvironmentKey, _ mark: String) async throws -> PythonEnvironment {
        let place = self.store.place(for: key)
        let claim = try await place.claim {}
        defer { claim.end() }
        if let environment = place.environment { return environment }
        let folder = try BuildFolder(in: place.path)
        let path = folder.path.dropFirst(self.sample.home.path.count + 1)
        try self.sample.home.write("\(path)/env/bin/python", "", executable: true)
        try self.sample.home.write("\(path)/env/mark", mark)
        return try place.publish(folder)
    }

    private func mark(_ environment: PythonEnvironment) throws -> String {
        try String(contentsOfFile: "\(environment.folder)/mark", encoding: .utf8)
    }

    @Test func `only a whole environment is found`() throws {
        let key = SampleStore.key("a")
        #expect(self.store.environment(key) == nil)
        try self.sample.add("a")
        let environment = try #require(self.store.environment(key))
        try FileManager.default.removeItem(atPath: "\(environment.folder)/bin")
        #expect(self.store.environment(key) == nil)
    }

    @Test func `what is published is kept from its first moment`() async throws {
        let key = SampleStore.key("a")
        var environment: PythonEnvironment? = try await self.make(key, "1")
        #expect(try !self.store.remove("\(key)"))
        #expect(try self.mark(#require(environment)) == "1")
        environment = nil
        #expect(try self.store.remove("\(key)"))
        #expect(try self.sample.environments == [])
    }

    @Test func `of two that are made the first stays, unless it is broken`() async throws {
        let key = SampleStore.key("a")
        let first = try await self.make(key, "1")
        #expect(try await self.make(key, "2") == first)
        try FileManager.default.removeItem(atPath: first.python)
        let third = try await self.make(key, "3")
        #expect(try self.mark(third) == "3")
        #expect(!FileManager.default.fileExists(atPath: first.folder))
        #expect(try self.sample.environments == ["\(key)"])
    }

    @Test func `what a killed process left half made is removed, and what another makes is not`() async throws {
        let dead = "environments/\(SampleStore.key("dead"))"
        try self.sample.home.write("\(dead)/build-1/env/bin/python", "", executable: true)
        let whole = try self.sample.add("whole")
        try self.sample.home.write("environments/\(whole)/build-2/env/bin/python", "")
        let place = self.store.place(for: SampleStore.key("growing"))
        let claim = try await place.claim {}
        let folder = try BuildFolder(in: place.path)
        try self.store.removeUnfinished()
        #expect(try self.sample.environments == [whole, "\(place.key)"])
        #expect(FileManager.default.fileExists(atPath: folder.path))
        #expect(try !self.sample.home.names(in: "environments/\(whole)").contains("build-2"))
        #expect(self.store.environment(SampleStore.key("whole")) != nil)
        withExtendedLifetime(claim) {}
    }

    @Test func `an environment goes with its log, once`() throws {
        let key = try self.sample.add("a")
        let other = try self.sample.add("b")
        #expect(try self.store.remove(key))
        #expect(try !self.store.remove(key))
        #expect(try self.sample.environments == [other])
        #expect(try self.sample.home.names(in: "logs/environments") == ["\(other).log"])
    }

    /// Builds and removals of one environment at once: who has a lease has all of it, for as long.
    @Test func `nobody ever has half an environment`() async throws {
        let key = SampleStore.key("a")
        let store = self.store
        let removals = try await withThrowingTaskGroup(of: Int.self) { group in
            for builder in 0..<3 {
                group.addTask {
                    var count = 0
                    for round in 0..<60 {
                        try await self.use(key, "\(builder).\(round)")
                        // While others use it, as a rule; whoever comes last finds nobody else.
                        if try store.remove("\(key)") { count += 1 }
                        await Task.yield()
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(removals > 0)
    }

    /// Has an environment for a while, found or made, and looks at all of it.
    private func use(_ key: EnvironmentKey, _ mark: String) async throws {
        let found = self.store.environment(key)
        let environment = if let found { found } else { try await self.make(key, mark) }
        let seen = try self.mark(environment)
        await Task.yield()
        #expect(try self.mark(environment) == seen)
        #expect(ProcessEnvironment.isExecutable(environment.python))
        withExtendedLifetime(environment) {}
    }

    @Test func `what is there is told with what needs it`() throws {
        let keys = try ["a", "b", "c", "d"].map { try self.sample.add($0) }
        try self.sample.home.write("environments/additions/x.json", "{}")
        let lease = self.store.environment(SampleStore.key("a"))
        let uses = EnvironmentUses(current: [keys[1]], history: [keys[2], keys[0]])
        let contents = try self.store.contents(uses)
        let needs = Dictionary(uniqueKeysWithValues: contents.map { ($0.key, $0.need) })
        #expect(needs == [keys[0]: .now, keys[1]: .now, keys[2]: .history, keys[3]: .none])
        withExtendedLifetime(lease) {}
    }
}
