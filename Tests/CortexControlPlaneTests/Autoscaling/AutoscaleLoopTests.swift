import CortexControlPlane
import CortexSpec
import Foundation
import Logging
import Testing

/// The service around the autoscaler, with a provider without processes and times that a test gives.
@Suite(.timeLimit(.minutes(1))) struct AutoscaleLoopTests {
    private let folder: TemporaryHome
    private let store: StateStore
    private let provider = FakeProvider()
    private let reconciler: Reconciler
    private let api: APIName
    /// Where a test's time begins: not at 0, as no wall clock does.
    private let begin = 1_800_000_000

    init() async throws {
        self.folder = try TemporaryHome()
        self.store = try StateStore(home: self.folder.home)
        self.reconciler = Reconciler(store: self.store, provider: self.provider, logger: Logger(label: "test"))
        self.api = try .of("iris")
        _ = try await self.reconciler.deploy(
            DeployRequest(
                specs: [try .named("iris")],
                project: "p1",
                config: "",
                configFile: "cortex.yaml",
                force: false,
                deployedBy: "local"
            )
        )
    }

    private func loop() -> AutoscaleLoop {
        AutoscaleLoop(
            provider: self.provider,
            reconciler: self.reconciler,
            store: self.store,
            logger: Logger(label: "test")
        )
    }

    private func load(
        _ inFlight: Int,
        requested: Int,
        received: UInt64 = 0,
        isServing: Bool = true,
        least: Int = 1,
        target: Double = 1
    ) throws -> APILoad {
        var spec = try APISpec.named("iris")
        spec.autoscaling.targetReplicaConcurrency = target
        spec.autoscaling.minReplicas = least
        return APILoad(
            spec: spec,
            version: 1,
            requested: requested,
            isServing: isServing,
            inFlight: inFlight,
            received: received
        )
    }

    /// Lets seconds pass, each with a sample.
    private func pass(_ seconds: Range<Int>, _ loop: AutoscaleLoop) async {
        await loop.run(
            AsyncStream { continuation in
                for second in seconds { continuation.yield(.seconds(self.begin + second)) }
                continuation.finish()
            }
        )
    }

    private var scalings: [Int] {
        self.provider.calls.compactMap { call in
            guard case .scale(_, let count) = call else { return nil }
            return count
        }
    }

    private func events() async throws -> [String] {
        try await self.store.events(of: self.api).filter { $0.kind == "scaled" }.map(\.message)
    }

    @Test func `replicas follow the load, and the history says why`() async throws {
        self.provider.bear(try self.load(8, requested: 1), self.api)
        await self.pass(0..<301, self.loop())
        // As in the traces; there is room for 5.
        #expect(self.scalings.prefix(3) == [2, 3, 5])
        #expect(try await self.store.replicas(of: self.api) == 5)
        let events = try await self.events()
        let reason = "8 in flight on average over 1m0s, with a target of 1 each: 8"
        #expect(events.first == "replicas 1 → 2: \(reason); by max_upscale_factor 2")
        // What there is no room for is tried at 240 and each period after it, and told once.
        #expect(self.scalings == [2, 3, 5] + Array(repeating: 8, count: 7))
        #expect(events.count == 4)
        #expect(events.last == "replicas 5 → 8: \(reason); there is room for 5")
    }

    @Test func `what is remembered outlives the server`() async throws {
        self.provider.setRoom(8)
        self.provider.bear(try self.load(8, requested: 8), self.api)
        let first = self.loop()
        await self.pass(0..<600, first)
        self.provider.bear(try self.load(0, requested: 8), self.api)
        await self.pass(600..<700, first)
        await first.save()
        let second = self.loop()
        await self.pass(720..<890, second)
        #expect(self.scalings == [])
        await self.pass(890..<911, second)
        // The last 8 was recommended at 600.
        #expect(self.scalings.first == 7)
    }

    @Test func `a deleted API leaves nothing to the next of its name`() async throws {
        self.provider.bear(try self.load(8, requested: 1), self.api)
        let loop = self.loop()
        await self.pass(0..<100, loop)
        await loop.save()
        _ = try await self.reconciler.delete(self.api, by: "local")
        self.provider.bear(nil, self.api)
        await self.pass(100..<105, loop)
        await loop.save()
        #expect(try await self.store.autoscalers() == [:])
        #expect(await loop.gauges() == [])
    }

    @Test func `an API that cannot answer is left alone`() async throws {
        self.provider.bear(try self.load(0, requested: 4, isServing: false), self.api)
        await self.pass(0..<1000, self.loop())
        #expect(self.scalings == [])
    }

    @Test func `an API that requests woke stays awake for its downscale stabilisation`() async throws {
        let loop = self.loop()
        self.provider.bear(try self.load(0, requested: 0, isServing: false, least: 0), self.api)
        await self.pass(0..<400, loop)
        // Too short for any sample.
        self.provider.bear(try self.load(0, requested: 1, received: 1, least: 0), self.api)
        await self.pass(400..<690, loop)
        // Written down, for a server that is started now.
        #expect(self.scalings == [1])
        #expect(try await self.store.replicas(of: self.api) == 1)
        // 1 is recommended for a minute, as long as it is in the window.
        await self.pass(690..<761, loop)
        #expect(self.scalings == [1, 0])
        #expect(await loop.gauges().first?.changes == .init(up: 1, down: 1))
    }

    @Test func `gauges tell of each API`() async throws {
        self.provider.bear(try self.load(8, requested: 1), self.api)
        let loop = self.loop()
        await self.pass(0..<61, loop)
        let text = AutoscalingMetrics.text(await loop.gauges())
        #expect(text.contains("cortex_requested_replicas{api=\"iris\"} 2\n"))
        #expect(text.contains("cortex_recommended_replicas{api=\"iris\"} 2\n"))
        #expect(text.contains("cortex_window_in_flight_requests{api=\"iris\"} 8.0\n"))
        #expect(text.contains("cortex_scalings_total{api=\"iris\",direction=\"up\"} 1\n"))
        #expect(text.contains("cortex_scalings_total{api=\"iris\",direction=\"down\"} 0\n"))
    }

    @Test func `a store that is gone does not stop the scaling`() async throws {
        let loop = self.loop()
        self.provider.bear(try self.load(8, requested: 1), self.api)
        await self.pass(0..<30, loop)
        try self.store.end()
        await self.pass(30..<130, loop)
        #expect(self.scalings.contains(2))
    }
}
