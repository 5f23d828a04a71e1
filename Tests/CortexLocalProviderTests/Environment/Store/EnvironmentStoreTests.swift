import CortexControlPlane
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(2))) struct EnvironmentStoreTests {
    private let sample: SampleStore
    private var store: EnvironmentStore { self.sample.store }

    init() throws { self.sample = try SampleStore() }

    /// A build that has made an environment, told from others by its mark.
    private func build(_ mark: String) throws -> BuildFolder {
        let folder = try BuildFolder(in: self.store.folder)
        let place = folder.path.dropFirst(self.sample.home.path.count + 1)
        try self.sample.home.write("\(place)/venv/bin/python", "", executable: true)
        try self.sample.home.write("\(place)/venv/mark", mark)
        return folder
    }

    private func mark(_ key: EnvironmentKey) throws -> String {
        try self.sample.home.text("environments/\(key)/mark")
    }

    @Test func `only a whole environment is leased`() throws {
        let key = SampleStore.key("a")
        #expect(self.store.lease(key) == nil)
        try self.sample.add("a")
        #expect(self.store.lease(key) != nil)
        try FileManager.default.removeItem(atPath: "\(self.store.path(of: key))/bin")
        #expect(self.store.lease(key) == nil)
    }

    @Test func `what is published is kept from its first moment`() throws {
        let key = SampleStore.key("a")
        var lease: FolderLease? = try self.store.publish("venv", in: try self.build("1"), as: key)
        #expect(lease != nil)
        #expect(try !self.store.remove("\(key)"))
        #expect(try self.mark(key) == "1")
        lease = nil
        #expect(try self.store.remove("\(key)"))
        #expect(try self.sample.environments == [])
    }

    @Test func `of two that are published the first stays, unless it is broken`() throws {
        let key = SampleStore.key("a")
        let first = try self.store.publish("venv", in: try self.build("1"), as: key)
        let second = try self.store.publish("venv", in: try self.build("2"), as: key)
        #expect(try self.mark(key) == "1")
        try FileManager.default.removeItem(atPath: "\(self.store.path(of: key))/bin/python")
        let third = try self.store.publish("venv", in: try self.build("3"), as: key)
        #expect(try self.mark(key) == "3")
        withExtendedLifetime((first, second, third)) {}
        #expect(try self.sample.environments == ["\(key)"])
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
        try await withThrowingTaskGroup { group in
            for builder in 0..<3 {
                group.addTask {
                    for round in 0..<60 {
                        let lease: FolderLease
                        if let found = store.lease(key) {
                            lease = found
                        } else {
                            lease = try store.publish("venv", in: try self.build("\(builder).\(round)"), as: key)
                        }
                        let seen = try self.mark(key)
                        await Task.yield()
                        #expect(try self.mark(key) == seen)
                        #expect(ProcessEnvironment.isExecutable("\(store.path(of: key))/bin/python"))
                        withExtendedLifetime(lease) {}
                        await Task.yield()
                    }
                }
            }
            let removals = Task {
                var count = 0
                while !Task.isCancelled {
                    if try store.remove("\(key)") { count += 1 }
                    await Task.yield()
                }
                return count
            }
            try await group.waitForAll()
            removals.cancel()
            // Without any, nothing was tried.
            #expect(try await removals.value > 0)
        }
    }

    @Test func `what is there is told with what needs it`() throws {
        let keys = try ["a", "b", "c", "d"].map { try self.sample.add($0) }
        try self.sample.home.write("environments/additions/x.json", "{}")
        let lease = self.store.lease(SampleStore.key("a"))
        let uses = EnvironmentUses(current: [keys[1]], history: [keys[2], keys[0]])
        let contents = try self.store.contents(uses)
        let needs = Dictionary(uniqueKeysWithValues: contents.map { ($0.key, $0.need) })
        #expect(needs == [keys[0]: .now, keys[1]: .now, keys[2]: .history, keys[3]: .none])
        withExtendedLifetime(lease) {}
    }
}
