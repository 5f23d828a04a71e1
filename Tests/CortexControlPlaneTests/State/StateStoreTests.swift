import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct StateStoreTests {
    private let folder: TemporaryHome
    private let store: StateStore

    init() throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
    }

    private func add(
        _ spec: ResourceSpec,
        project: String = "p1",
        at now: Date = Date()
    ) async throws -> DeploymentRecord {
        try await self.store.add(
            DeploymentDraft(
                spec: spec,
                identity: try DeploymentIdentity(spec: spec, project: project),
                config: "- name: \(spec.name)",
                configFile: "cortex.yaml",
                projectDirectory: "/home/ada/\(spec.name)",
                deployedBy: "local"
            ),
            at: now
        )
    }

    private func event(
        _ kind: ProviderEvent.Kind,
        _ name: String,
        _ version: Int,
        _ text: String = ""
    ) throws -> ProviderEvent {
        ProviderEvent(api: try APIName.of(name), version: version, kind: kind, message: text)
    }

    @Test func `a deploy is there again after a restart`() async throws {
        let added = try await self.add(try .named("iris"))
        try self.store.end()
        let again = try StateStore(home: self.folder.home)
        let found = try #require(try await again.wanted(try .of("iris")))
        #expect(found.deployment == added.deployment)
        #expect(found.deployment.projectDirectory == "/home/ada/iris")
        #expect(found.identity == added.identity)
        #expect(found.config == "- name: iris")
        #expect(found.outcome == .pending)
        #expect(abs(found.createdAt.timeIntervalSince(added.createdAt)) < 0.01)
    }

    @Test func `only the owner may read the database`() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder.home.state) {
            let path = "\(self.folder.home.state)/\(name)"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }

    @Test func `versions count up, also after the API was deleted`() async throws {
        let name = try APIName.of("iris")
        #expect(try await self.add(try .named("iris")).deployment.version == 1)
        #expect(try await self.add(try .named("iris", threads: 2)).deployment.version == 2)
        #expect(try await self.add(try .named("text")).deployment.version == 1)
        #expect(try await self.store.remove(name, by: "local"))
        #expect(try await self.store.wanted(name) == nil)
        #expect(try await !self.store.remove(name, by: "local"))
        #expect(try await self.add(try .named("iris")).deployment.version == 3)
    }

    @Test func `ids sort in the order of creation though the clock is set back`() async throws {
        let now = Date()
        var ids: [String] = []
        for offset in [0.0, 0.0, -3600.0, -7200.0, 10.0] {
            ids.append(try await self.add(try .named("iris"), at: now.addingTimeInterval(offset)).deployment.id)
        }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }

    @Test func `the fallback is the last version that was live`() async throws {
        let name = try APIName.of("iris")
        _ = try await self.add(try .named("iris"))
        #expect(try await self.store.fallback(for: name) == nil)
        try await self.store.record(try self.event(.live, "iris", 1))
        #expect(try await self.store.fallback(for: name) == nil, "version 1 is the wanted one itself")
        _ = try await self.add(try .named("iris", threads: 2))
        try await self.store.record(try self.event(.failed, "iris", 2, "no class"))
        _ = try await self.add(try .named("iris", threads: 3))
        #expect(try await self.store.fallback(for: name)?.deployment.version == 1)
    }

    @Test func `versions from before a deletion are no fallback`() async throws {
        let name = try APIName.of("iris")
        _ = try await self.add(try .named("iris"))
        try await self.store.record(try self.event(.live, "iris", 1))
        _ = try await self.store.remove(name, by: "local")
        _ = try await self.add(try .named("iris"))
        #expect(try await self.store.fallback(for: name) == nil)
    }

    @Test func `what was replaced before it came up stays superseded`() async throws {
        let name = try APIName.of("iris")
        _ = try await self.add(try .named("iris"))
        _ = try await self.add(try .named("iris", threads: 2))
        try await self.store.record(try self.event(.live, "iris", 1))
        #expect(try await self.store.fallback(for: name) == nil)
        try await self.store.record(try self.event(.failed, "iris", 2, "no class"))
        #expect(try await self.store.wanted(name)?.outcome == .failed(reason: "no class"))
        try await self.store.record(try self.event(.live, "iris", 2))
        #expect(try await self.store.wanted(name)?.outcome == .live)
    }

    @Test func `events are kept in order, and only so many of each API`() async throws {
        let name = try APIName.of("iris")
        for number in 0..<(StateStore.eventLimit + 5) {
            try await self.store.record(try self.event(.progress, "iris", 1, "\(number)"))
        }
        try await self.store.record(try self.event(.progress, "text", 1, "other"))
        let all = try await self.store.events(of: name, limit: 5000)
        #expect(all.count == StateStore.eventLimit)
        #expect(all.first?.message == "5")
        #expect(all.last?.message == "\(StateStore.eventLimit + 4)")
        let last = try #require(all.last)
        #expect(try await self.store.events(of: name, after: last.id).isEmpty)
        #expect(try await self.store.events(of: name, limit: 2).map(\.message) == ["1003", "1004"])
    }
}
