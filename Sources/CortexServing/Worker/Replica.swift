import NIOCore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// One running copy of an API: its workers, each kept alive until the replica is drained.
package actor Replica {
    /// What its owner hears, in order.
    package enum Event: Sendable {
        /// All its workers are ready.
        case ready
        /// A worker could not be brought up; `willRetry` says whether another try is made.
        case startFailed(worker: String, WorkerError, willRetry: Bool)
        /// A worker wants a module that is not there; where that fails its start, `startFailed` follows.
        case missing(worker: String, MissingMessage)
        /// A worker that had been ready ended; another is started.
        case workerExited(worker: String, WorkerExit)
    }

    private let name: String
    private let processes: Int
    private let launch: WorkerLaunch
    private let queue: AdmissionQueue
    private let registry: WorkerRegistry
    private let ledger: WorkerLedger
    private let log: @Sendable (LogMessage, _ worker: String) -> Void
    private let report: @Sendable (Event) async -> Void
    private let backoff = RestartBackoff()
    private var workers: [WorkerState]
    private var pids: [String: Int32] = [:]
    private var arguments: ReadyMessage?
    private var wasReady = false
    private let tally = ModelTally()

    /// - Parameters:
    ///   - name: Prefix of its workers' names (`iris-3-0` gives `iris-3-0-0`, …).
    ///   - log: Takes the lines of its workers; must not wait.
    ///   - report: Hears what happens.
    package init(
        name: String,
        processes: Int,
        launch: WorkerLaunch,
        queue: AdmissionQueue,
        registry: WorkerRegistry,
        ledger: WorkerLedger,
        log: @escaping @Sendable (LogMessage, _ worker: String) -> Void,
        report: @escaping @Sendable (Event) async -> Void
    ) {
        self.name = name
        self.processes = processes
        self.launch = launch
        self.queue = queue
        self.registry = registry
        self.ledger = ledger
        self.log = log
        self.report = report
        self.workers = Array(repeating: .starting(attempt: 1), count: processes)
    }

    /// What the predictor's methods take; nil before the first worker was ready.
    package var contract: ReadyMessage? { self.arguments }
    package var readyWorkers: Int { self.workers.lazy.filter { $0 == .ready }.count }

    /// Runs its workers until they are drained, or until no further try can help; cancelling the task ends them at once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for index in 0..<self.processes {
                group.addTask { await self.supervise(index) }
            }
        }
    }

    /// Lets the workers finish what they run and end; what is not gone after `grace` is killed.
    package func drain(grace: Duration) async {
        for index in self.workers.indices { self.workers[index].beganDraining() }
        for worker in self.pids.keys { await self.queue.sendDrain(to: worker) }
        let started = ContinuousClock.now
        while !self.pids.isEmpty, ContinuousClock.now - started < grace {
            // Woken by each exit, or by the grace.
            await self.nextExit(within: grace - (ContinuousClock.now - started))
        }
        for pid in self.pids.values { kill(-pid, SIGKILL) }
    }

    /// Ends a worker that no longer answers; it is started again.
    package func end(_ worker: String) {
        if let pid = self.pids[worker] { kill(-pid, SIGKILL) }
    }

    // MARK: One worker

    private func supervise(_ index: Int) async {
        let worker = "\(self.name)-\(index)"
        while !Task.isCancelled {
            if self.workers[index] == .stopped || self.workers[index] == .draining { return }
            self.workers[index].beganStart()
            let error = await self.runOnce(index, worker)
            let wasReady = self.workers[index] == .ready
            let isFinal = if case .failed(let message) = error { !Self.mayPass.contains(message.stage) } else { false }
            let decision = self.workers[index].exited(isFinal: isFinal)
            if wasReady, case .exited(let exit) = error { await self.report(.workerExited(worker: worker, exit)) }
            switch decision {
            case .finish:
                if self.workers[index] == .stopped, isFinal, let error {
                    await self.report(.startFailed(worker: worker, error, willRetry: false))
                }
                return
            case .restart(let attempt):
                if !wasReady, let error { await self.report(.startFailed(worker: worker, error, willRetry: true)) }
                // Requests wait for a first restart; from the third on there is no telling when it succeeds.
                if attempt >= 3 {
                    await self.queue.failfast(reason: "its workers end as soon as they are started")
                }
                try? await Task.sleep(for: self.backoff.delay(attempt: attempt))
            }
        }
    }

    /// Stages of a start whose failure may be gone the next time; what fails before is in the code.
    private static let mayPass: Set<String> = ["constructor", "models"]

    private func runOnce(_ index: Int, _ worker: String) async -> WorkerError? {
        let log = self.log
        let process = WorkerProcess(
            name: worker,
            launch: self.launch,
            queue: self.queue,
            registry: self.registry,
            ledger: self.ledger,
            log: { log($0, worker) }
        )
        defer { self.exited(worker) }
        do {
            let outcome = try await process.run(
                onStart: { self.started(index, worker, pid: $0) },
                onReady: { await self.becameReady(index, $0) },
                onMissing: { await self.report(.missing(worker: worker, $0)) },
                onCounted: { await self.tally.counted($0, by: worker) }
            )
            await self.forgetModels(of: worker)
            if let failure = outcome.failure { return .failed(failure) }
            return .exited(outcome.exit)
        } catch let error as WorkerError {
            await self.forgetModels(of: worker)
            return error
        } catch {
            await self.forgetModels(of: worker)
            return .couldNotStart(reason: "\(error)")
        }
    }

    private func forgetModels(of worker: String) async {
        await self.tally.ended(worker)
        await self.launch.models.ended(worker)
    }

    /// How often its workers had a model in memory and how often not, as of now, or at the end of `limit` as of last time.
    package func modelCounts(within limit: Duration) async -> ModelCounts {
        let queue = self.queue
        return await self.tally.total(of: Array(self.pids.keys), within: limit) { await queue.askForModelCounts($0) }
    }

    private func started(_ index: Int, _ worker: String, pid: Int32) {
        self.pids[worker] = pid
        // Drained between the decision to start it and now: it has nothing to finish.
        switch self.workers[index] {
        case .draining, .stopped: kill(-pid, SIGKILL)
        case .starting, .ready, .backingOff: break
        }
    }

    private func becameReady(_ index: Int, _ message: ReadyMessage) async {
        self.workers[index].becameReady()
        self.arguments = message
        guard !self.wasReady, self.workers.allSatisfy({ $0 == .ready }) else { return }
        self.wasReady = true
        await self.report(.ready)
    }

    // MARK: Exits

    private var exitWaiters: [CheckedContinuation<Void, Never>] = []

    private func exited(_ worker: String) {
        if let pid = self.pids.removeValue(forKey: worker) { self.ledger.ended(pid) }
        let waiters = self.exitWaiters
        self.exitWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    private func nextExit(within limit: Duration) async {
        let timer = Task {
            try await Task.sleep(for: limit)
            self.wakeExitWaiters()
        }
        await withCheckedContinuation { self.exitWaiters.append($0) }
        timer.cancel()
    }

    private func wakeExitWaiters() {
        let waiters = self.exitWaiters
        self.exitWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}
