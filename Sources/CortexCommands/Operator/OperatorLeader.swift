import CortexControlPlane
import CortexKubernetes
import CortexKubernetesProvider
import CortexTelemetry
import Logging
import ServiceLifecycle

/// What the operator does while it leads: from waiting for the lease to giving it back.
actor OperatorLeader: Service {
    /// Next: `reading`.
    private enum Phase {
        case waiting
        /// It leads, and does not know yet what is wanted. Next: `leading`.
        case reading
        /// Next: `ending`.
        case leading(ServerRecord)
        case ending(ServerRecord?)
    }

    private let configuration: OperatorConfiguration
    private let election: LeaseElection
    private let store: ClusterStore
    private let provider: KubernetesProvider
    private let reconciler: Reconciler
    private let intake: ObjectIntake
    private let autoscale: AutoscaleLoop
    private let logger: Logger
    private var phase = Phase.waiting

    init(
        configuration: OperatorConfiguration,
        election: LeaseElection,
        store: ClusterStore,
        provider: KubernetesProvider,
        reconciler: Reconciler,
        intake: ObjectIntake,
        autoscale: AutoscaleLoop,
        logger: Logger
    ) {
        self.configuration = configuration
        self.election = election
        self.store = store
        self.provider = provider
        self.reconciler = reconciler
        self.intake = intake
        self.autoscale = autoscale
        self.logger = logger
    }

    /// What `GET /v1/info` tells; nil until APIs are known.
    var record: ServerRecord? {
        switch self.phase {
        case .waiting, .reading: nil
        case .leading(let record): record
        case .ending(let record): record
        }
    }

    /// Only who leads is asked.
    var readiness: OperatorApplication.Readiness {
        switch self.phase {
        case .waiting: .init(isReady: false, summary: "another operator leads")
        case .reading: .init(isReady: false, summary: "the cluster is being read")
        case .leading: .init(isReady: true, summary: "ready")
        case .ending: .init(isReady: false, summary: "shutting down")
        }
    }

    nonisolated func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.lead() }
        await self.end()
    }

    private func lead() async throws {
        do {
            try await self.election.acquire()
        } catch is CancellationError {
            return
        }
        self.logger.info("leading", metadata: ["identity": "\(self.configuration.identity)"])
        self.phase = .reading
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.election.hold() }
            group.addTask { try await self.work() }
            defer { group.cancelAll() }
            do {
                try await group.next()
            } catch is CancellationError {
                // Asked to end.
            }
        }
    }

    private func work() async throws {
        try await self.readUntilDone()
        let (restored, tell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.provider.run() }
            group.addTask { try await self.reconciler.run { tell.yield() } }
            group.addTask {
                guard await restored.first(where: { _ in true }) != nil else { return }
                await self.begin()
                async let intake: Void = self.intake.run()
                await self.autoscale.run(
                    SecondTicks(ContinuousClock(), origin: .milliseconds(WallClock.milliseconds()))
                )
                await intake
            }
            try await group.waitForAll()
        }
    }

    /// The API server may be away at the start, as at any time.
    private func readUntilDone() async throws {
        while true {
            do {
                try await self.store.load()
                try await self.provider.read()
                return
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                self.logger.warning("the cluster cannot be read", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    /// All that is wanted is known: orders are taken.
    private func begin() {
        self.phase = .leading(
            ServerRecord(
                home: self.configuration.home,
                version: CortexVersion.current,
                host: "0.0.0.0",
                port: CortexNames.dataPort,
                operatorPort: self.configuration.port
            )
        )
        self.logger.info("ready")
    }

    /// Not in the task that was cancelled: nothing could be written any more.
    private func end() async {
        if case .leading(var record) = self.phase {
            record.isShuttingDown = true
            self.phase = .ending(record)
            await self.autoscale.save()
            await self.provider.flush()
        } else {
            self.phase = .ending(nil)
        }
        await self.election.release()
    }
}
