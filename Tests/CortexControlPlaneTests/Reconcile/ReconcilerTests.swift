import CortexControlPlane
import CortexSpec
import Logging
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReconcilerTests {
    private let folder: TemporaryHome
    private let store: StateStore
    private let provider = FakeProvider()
    private let reconciler: Reconciler

    init() throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
        self.reconciler = Reconciler(store: self.store, provider: self.provider, logger: Logger(label: "test"))
    }

    private func deploy(_ specs: ResourceSpec..., force: Bool = false) async throws -> [DeployResult] {
        try await self.reconciler.deploy(
            DeployRequest(
                specs: specs,
                project: "p1",
                config: "",
                configFile: "cortex.yaml",
                force: force,
                deployedBy: "local"
            )
        )
    }

    /// Records what was reported so far; the provider can report no more.
    private func drain() async throws {
        self.provider.finish()
        try await self.reconciler.run()
    }

    @Test func `deploys are told apart in words, and only changes reach the provider`() async throws {
        let iris = try APIName.of("iris")
        #expect(try await self.deploy(try .named("iris")).first?.outcome == .success("creating iris (RealtimeAPI)"))
        #expect(
            try await self.deploy(try .named("iris")).first?.outcome
                == .success("iris (RealtimeAPI) is already updating")
        )
        let refused = try await self.deploy(try .named("iris", threads: 2))
        #expect(refused.first?.outcome == .failure(.updating(iris)))
        let forced = try await self.deploy(try .named("iris", threads: 2), force: true)
        #expect(forced.first?.outcome == .success("updating iris (RealtimeAPI)"))
        #expect(
            self.provider.calls == [
                .apply(iris, version: 1, fallback: nil), .apply(iris, version: 2, fallback: nil),
            ]
        )
    }

    @Test func `what goes live is up to date, and the next version falls back on it`() async throws {
        let iris = try APIName.of("iris")
        _ = try await self.deploy(try .named("iris"))
        self.provider.report(.live, iris, version: 1)
        try await self.drain()
        #expect(
            try await self.deploy(try .named("iris")).first?.outcome == .success("iris (RealtimeAPI) is up to date")
        )
        _ = try await self.deploy(try .named("iris", threads: 2))
        #expect(self.provider.calls.last == .apply(iris, version: 2, fallback: 1))
    }

    @Test func `one refused API does not stop the others of its file`() async throws {
        _ = try await self.deploy(try .named("iris"))
        let results = try await self.deploy(
            try .named("thief", endpoint: "/iris"),
            try .named("text")
        )
        let taken = DeployError.endpointTaken(try .of("thief"), endpoint: "/iris", owner: try .of("iris"))
        #expect(results.map(\.outcome) == [.failure(taken), .success("creating text (RealtimeAPI)")])
        #expect(results.first?.wanted == nil)
    }

    @Test func `an endpoint stays its API's own until the version that leaves it is live`() async throws {
        let iris = try APIName.of("iris")
        _ = try await self.deploy(try .named("iris"))
        self.provider.report(.live, iris, version: 1)
        try await self.drain()
        _ = try await self.deploy(try .named("iris", endpoint: "/moved"))
        let thief = try await self.deploy(try .named("thief", endpoint: "/iris"))
        #expect(throws: DeployError.self) { try thief.first?.outcome.get() }
    }

    @Test func `an endpoint that an API has left is free`() async throws {
        let iris = try APIName.of("iris")
        func isGiven(_ endpoint: String, to name: String) async throws -> Bool {
            let results = try await self.deploy(try .named(name, endpoint: endpoint))
            return if case .success = results.first?.outcome { true } else { false }
        }
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.reconciler.run() }
            #expect(try await isGiven("/first", to: "iris"))
            self.provider.report(.live, iris, version: 1)
            while try await self.store.wanted(iris)?.outcome != .live { await Task.yield() }
            #expect(try await isGiven("/second", to: "iris"))
            #expect(try await !isGiven("/first", to: "other"))
            self.provider.report(.live, iris, version: 2)
            while try await !isGiven("/first", to: "other") { await Task.yield() }
            // Never live, and so given up at once.
            _ = try await self.deploy(try .named("other", endpoint: "/third"), force: true)
            #expect(try await isGiven("/first", to: "another"))
            #expect(try await !isGiven("/second", to: "last"))
            #expect(try await self.reconciler.delete(iris, by: "local"))
            #expect(try await isGiven("/second", to: "last"))
            self.provider.finish()
            try await group.waitForAll()
        }
    }

    @Test func `after a restart every API is told again, with what served last`() async throws {
        let names = try ["ok", "broken", "half"].map { try APIName.of($0) }
        for name in names { _ = try await self.deploy(try .named("\(name)")) }
        for name in names { self.provider.report(.live, name, version: 1) }
        _ = try await self.deploy(try .named("gone"))
        #expect(try await self.reconciler.delete(try .of("gone"), by: "local"))
        try await self.drain()

        let second = FakeProvider()
        let reconciler = Reconciler(store: self.store, provider: second, logger: Logger(label: "test"))
        func update(_ name: String) async throws {
            _ = try await reconciler.deploy(
                DeployRequest(
                    specs: [try .named(name, threads: 2)],
                    project: "p1",
                    config: "",
                    configFile: "cortex.yaml",
                    force: false,
                    deployedBy: "local"
                )
            )
        }
        try await update("broken")
        try await update("half")
        second.report(.failed, try .of("broken"), version: 2, "no class")
        second.finish()
        try await reconciler.run()

        let third = FakeProvider()
        third.finish()
        let last = Reconciler(store: self.store, provider: third, logger: Logger(label: "test"))
        #expect(await !last.isRestored)
        try await last.run()
        #expect(await last.isRestored)
        #expect(
            third.calls == [
                .apply(try .of("broken"), version: 2, fallback: 1),
                .apply(try .of("half"), version: 2, fallback: 1),
                .apply(try .of("ok"), version: 1, fallback: nil),
            ]
        )
    }

    @Test func `deploys at once are taken one after the other`() async throws {
        let iris = try APIName.of("iris")
        let results = try await withThrowingTaskGroup { group in
            for threads in 1...20 {
                group.addTask { try await self.deploy(try .named("iris", threads: threads), force: true) }
            }
            var results: [DeployResult] = []
            for try await result in group { results += result }
            return results
        }
        #expect(Set(results.compactMap { $0.wanted?.deployment.version }) == Set(1...20))
        #expect(self.provider.calls == (1...20).map { .apply(iris, version: $0, fallback: nil) })
        #expect(try await self.store.wanted(iris)?.deployment.version == 20)
    }

    @Test func `deleting says whether there was anything`() async throws {
        let iris = try APIName.of("iris")
        #expect(try await !self.reconciler.delete(iris, by: "local"))
        #expect(self.provider.calls.isEmpty)
        _ = try await self.deploy(try .named("iris"))
        #expect(try await self.reconciler.delete(iris, by: "local"))
        #expect(self.provider.calls.last == .remove(iris))
        #expect(try await self.reconciler.api(iris) == nil)
        #expect(try await self.reconciler.apis().isEmpty)
    }
}
