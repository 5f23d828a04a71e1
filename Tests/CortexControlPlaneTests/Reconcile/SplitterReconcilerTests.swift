import CortexSpec
import Logging
import Testing

@testable import CortexControlPlane

@Suite(.timeLimit(.minutes(1))) struct SplitterReconcilerTests {
    private let folder: TemporaryHome
    private let store: StateStore
    private let provider = FakeProvider()
    private let reconciler: Reconciler

    init() throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
        self.reconciler = Reconciler(store: self.store, provider: self.provider, logger: Logger(label: "test"))
    }

    private func request(_ specs: [ResourceSpec], project: String) -> DeployRequest {
        DeployRequest(
            specs: specs,
            project: project,
            config: "",
            configFile: "cortex.yaml",
            force: false,
            deployedBy: "local"
        )
    }

    /// What became of the last of them: the sentence, or the refusal.
    @discardableResult
    private func deploy(_ specs: ResourceSpec..., project: String = "p1") async throws -> Result<String, DeployError> {
        let results = try await self.reconciler.deploy(self.request(specs, project: project))
        return try #require(results.last).outcome
    }

    private func record(_ kind: ProviderEvent.Kind, _ name: String, _ version: Int) async throws {
        let api = try APIName.of(name)
        self.provider.report(kind, api, version: version)
        try await self.store.record(ProviderEvent(api: api, version: version, kind: kind, message: ""))
    }

    @Test func `it is deployed with its APIs, and never has to wait for itself`() async throws {
        let both: [ResourceSpec] = [try .named("a"), try .named("b")]
        let first = try await self.deploy(both[0], both[1], try .splitter("split", ["a": 90, "b": 10]))
        #expect(first == .success("created split (TrafficSplitter)"))
        // Still pending: an API would have to be forced.
        let second = try await self.deploy(try .splitter("split", ["a": 50, "b": 50]))
        #expect(second == .success("updated split (TrafficSplitter)"))
        try await self.record(.live, "split", 2)
        #expect(
            try await self.deploy(try .splitter("split", ["a": 50, "b": 50]))
                == .success("split (TrafficSplitter) is up to date")
        )
        let split = try APIName.of("split")
        #expect(
            self.provider.calls.suffix(2) == [
                .apply(split, version: 1, fallback: nil), .apply(split, version: 2, fallback: nil),
            ]
        )
    }

    @Test func `another project makes no other splitter`() async throws {
        try await self.deploy(try .named("a"), try .splitter("split", ["a": 100]))
        try await self.record(.live, "split", 1)
        #expect(
            try await self.deploy(try .splitter("split", ["a": 100]), project: "p2")
                == .success("split (TrafficSplitter) is up to date")
        )
    }

    @Test func `what it names must be deployed, and an API`() async throws {
        let split = try APIName.of("split")
        #expect(
            try await self.deploy(try .named("a"), try .splitter("split", ["a": 90, "b": 10]))
                == .failure(.missingTargets(split, [try APIName.of("b")]))
        )
        try await self.deploy(try .splitter("other", ["a": 100]))
        #expect(
            try await self.deploy(try .splitter("split", ["a": 50, "other": 50]))
                == .failure(.missingTargets(split, [try APIName.of("other")]))
        )
    }

    @Test func `what it names is looked up before anything is deployed`() async throws {
        try await self.deploy(try .named("iris"), try .splitter("old", ["iris": 100]))
        let specs: [ResourceSpec] = [
            try .named("fresh"), try .splitter("split", ["iris": 25, "fresh": 25, "irs": 25, "old": 25]),
        ]
        let problems = try await self.reconciler.targetProblems(of: self.request(specs, project: "p1"))
        #expect(
            problems[try APIName.of("split")]?.map(\.description) == [
                "apis[2].name: irs is neither deployed nor in this file; did you mean iris?",
                "apis[3].name: old is a TrafficSplitter; it must be the name of a RealtimeAPI",
            ]
        )
    }

    @Test func `it cannot take the place of an API, nor an API its place`() async throws {
        try await self.deploy(try .named("a"), try .named("b"), try .splitter("split", ["a": 100]))
        #expect(
            try await self.deploy(try .splitter("b", ["a": 100]))
                == .failure(.kindChanged(try APIName.of("b"), from: .realtime, to: .trafficSplitter))
        )
        #expect(
            try await self.deploy(try .named("split"))
                == .failure(.kindChanged(try APIName.of("split"), from: .trafficSplitter, to: .realtime))
        )
        #expect(
            try await self.deploy(try .splitter("thief", ["a": 100], endpoint: "/b"))
                == .failure(.endpointTaken(try APIName.of("thief"), endpoint: "/b", owner: try APIName.of("b")))
        )
    }

    @Test func `an API that gets requests is not deleted`() async throws {
        let (a, b, split) = (try APIName.of("a"), try APIName.of("b"), try APIName.of("split"))
        try await self.deploy(try .named("a"), try .named("b"), try .splitter("split", ["a": 100]))
        await #expect(throws: InUseError(api: a, splitters: [split])) {
            try await self.reconciler.delete(a, by: "local")
        }
        try await self.record(.live, "split", 1)
        // The weights before these still hold.
        try await self.deploy(try .splitter("split", ["b": 100]))
        for api in [a, b] {
            await #expect(throws: InUseError(api: api, splitters: [split])) {
                try await self.reconciler.delete(api, by: "local")
            }
        }
        try await self.record(.live, "split", 2)
        #expect(try await self.reconciler.delete(a, by: "local"))
        #expect(try await self.reconciler.delete(split, by: "local"))
        #expect(try await self.reconciler.delete(b, by: "local"))
    }

    @Test func `it goes back to earlier weights, unless an API of theirs is gone`() async throws {
        let split = try APIName.of("split")
        try await self.deploy(try .named("a"), try .named("b"), try .splitter("split", ["a": 90, "b": 10]))
        try await self.record(.live, "split", 1)
        try await self.deploy(try .splitter("split", ["a": 100]))
        try await self.record(.live, "split", 2)
        let projects = try ProjectStore(folder: self.folder.home.projects)
        let back = try #require(try await self.reconciler.rollback(split, to: nil, from: projects, by: "local"))
        #expect(back.wanted.deployment.version == 3)
        #expect(back.wanted.deployment.spec.splitter?.apis.map(\.weight) == [90, 10])
        try await self.record(.live, "split", 3)
        try await self.deploy(try .splitter("split", ["a": 100]))
        try await self.record(.live, "split", 4)
        _ = try await self.reconciler.delete(try APIName.of("b"), by: "local")
        await #expect(throws: DeployError.missingTargets(split, [try APIName.of("b")])) {
            try await self.reconciler.rollback(split, to: "1", from: projects, by: "local")
        }
    }

    @Test func `it has no workers to replace, and no log`() async throws {
        let split = try APIName.of("split")
        try await self.deploy(try .named("a"), try .named("b"), try .splitter("split", ["a": 90, "b": 10]))
        await #expect(throws: KindError.self) {
            try await self.reconciler.refresh(split, force: true, by: "local")
        }
        let error = await #expect(throws: KindError.self) {
            _ = try await self.reconciler.logLines(of: split, last: 10, follow: false, as: .text)
        }
        #expect(error?.description == "split is a TrafficSplitter, which has no log of its own")
        #expect(error?.commands == ["cortex logs a", "cortex logs b"])
    }

    @Test func `after a restart it is told of after its APIs`() async throws {
        try await self.deploy(try .named("b"), try .named("z"), try .splitter("a", ["z": 90, "b": 10]))
        try await self.record(.live, "a", 1)
        let names = try ["b", "z", "a"].map { try APIName.of($0) }
        let provider = FakeProvider()
        provider.finish()
        try await Reconciler(store: self.store, provider: provider, logger: Logger(label: "test")).run()
        #expect(provider.calls == names.map { .apply($0, version: 1, fallback: nil) })
    }
}
