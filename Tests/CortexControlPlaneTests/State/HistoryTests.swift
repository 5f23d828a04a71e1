import CortexSpec
import Logging
import Testing

@testable import CortexControlPlane

/// What a refresh, a deploy and a delete leave behind.
@Suite(.timeLimit(.minutes(1))) struct HistoryTests {
    private let folder: TemporaryHome
    private let store: StateStore
    private let provider = FakeProvider()
    private let reconciler: Reconciler
    private let iris: APIName

    init() throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
        self.reconciler = Reconciler(store: self.store, provider: self.provider, logger: Logger(label: "test"))
        self.iris = try .of("iris")
    }

    private func deploy(threads: Int = 1) async throws -> String? {
        let results = try await self.reconciler.deploy(
            DeployRequest(
                specs: [try .named("iris", threads: threads)],
                project: "p1",
                config: "text",
                configFile: "cortex.yaml",
                force: true,
                deployedBy: "ci"
            )
        )
        return try results.first?.outcome.get()
    }

    private func report(_ kind: ProviderEvent.Kind, version: Int, _ message: String = "") async throws {
        self.provider.report(kind, self.iris, version: version, message)
        try await self.store.record(
            ProviderEvent(api: self.iris, version: version, kind: kind, message: message)
        )
    }

    @Test func `a refresh is a new version of the same wish with new workers`() async throws {
        _ = try await self.deploy()
        try await self.report(.live, version: 1)
        let old = try #require(try await self.store.wanted(self.iris))
        let new = try #require(try await self.reconciler.refresh(self.iris, force: false, by: "ops"))
        #expect(new.deployment.version == 2)
        #expect(new.deployment.spec == old.deployment.spec)
        #expect(new.identity == old.identity)
        #expect(new.config == "text")
        let spec = try #require(new.deployment.spec.api)
        #expect(!new.deployment.of(spec).hasSameWorkers(as: old.deployment.of(spec)))
        #expect(self.provider.calls.last == .apply(self.iris, version: 2, fallback: 1))
        #expect(try await self.store.wanted(self.iris)?.deployment == new.deployment)
    }

    @Test func `after a refresh the same again is up to date, and a change keeps the new workers`() async throws {
        _ = try await self.deploy()
        try await self.report(.live, version: 1)
        let refreshed = try #require(try await self.reconciler.refresh(self.iris, force: false, by: "ops"))
        try await self.report(.live, version: 2)
        #expect(try await self.deploy() == "iris (RealtimeAPI) is up to date")
        #expect(try await self.deploy(threads: 2) == "updating iris (RealtimeAPI)")
        let wanted = try #require(try await self.store.wanted(self.iris))
        #expect(wanted.deployment.generation == refreshed.deployment.generation)
    }

    @Test func `a refresh waits for an update unless forced`() async throws {
        _ = try await self.deploy()
        await #expect(throws: DeployError.updating(self.iris)) {
            try await self.reconciler.refresh(self.iris, force: false, by: "ops")
        }
        #expect(try await self.reconciler.refresh(self.iris, force: true, by: "ops")?.deployment.version == 2)
        try await self.report(.failed, version: 2, "no")
        #expect(try await self.reconciler.refresh(self.iris, force: false, by: "ops")?.deployment.version == 3)
        #expect(try await self.reconciler.refresh(try .of("none"), force: true, by: "ops") == nil)
    }

    @Test func `history is of this life of the API, newest first`() async throws {
        _ = try await self.deploy()
        #expect(try await self.reconciler.delete(self.iris, by: "ci"))
        #expect(try await self.reconciler.history(of: self.iris, limit: 10).isEmpty)
        _ = try await self.deploy()
        _ = try await self.deploy(threads: 2)
        try await self.report(.failed, version: 3, "no such file")
        _ = try await self.deploy(threads: 3)
        let history = try await self.reconciler.history(of: self.iris, limit: 10)
        #expect(history.map(\.deployment.version) == [4, 3, 2])
        #expect(history.map(\.outcome) == [.pending, .failed(reason: "no such file"), .superseded])
        #expect(try await self.reconciler.history(of: self.iris, limit: 1).map(\.deployment.version) == [4])
    }

    @Test func `events tell who asked and what came of it`() async throws {
        _ = try await self.deploy()
        try await self.report(.live, version: 1, "live")
        _ = try await self.reconciler.refresh(self.iris, force: false, by: "ops")
        try await self.report(.workerExited, version: 2, "exited")
        #expect(try await self.reconciler.delete(self.iris, by: "ci"))
        let events = try await self.reconciler.events(of: self.iris, after: 0, limit: 100)
        #expect(events.map(\.kind) == ["deployed", "live", "refreshed", "worker_exited", "deleted"])
        #expect(events.map(\.version) == [1, 1, 2, 2, 2])
        #expect(events.first?.message == "version 1 deployed by ci")
        #expect(events.last?.message == "deleted by ci")
        #expect(try await !self.reconciler.delete(self.iris, by: "ci"))
        #expect(try await self.reconciler.events(of: self.iris, after: 0, limit: 100).count == events.count)
    }
}
