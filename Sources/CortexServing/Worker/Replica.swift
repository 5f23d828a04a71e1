import CortexTelemetry
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
        /// All its workers are ready, for the first time.
        case ready
        /// All its workers are ready again, after one or more had ended.
        case recovered
        /// A worker could not be brought up; `willRetry` says whether another try is made.
        case startFailed(worker: String, WorkerError, willRetry: Bool)
        /// A worker wants a module that is not there; where that fails its start, `startFailed` follows.
        case missing(worker: String, MissingMessage)
        /// A worker that had been ready ended; another is started.
        case workerExited(worker: String, WorkerExit)
        /// A worker has ended so often in a row that this is a crash loop; told once for each.
        case looping(ReplicaHealth.Loop)
    }

    package nonisolated let name: String
    private let version: Int
    private let processes: Int
    private let launch: WorkerLaunch
    let queue: AdmissionQueue
    private let registry: WorkerRegistry
    private let ledger: WorkerLedger
    private let kernelKills: KernelKills
    private let log: @Sendable (LogMessage, _ worker: String) -> Void
    private let report: @Sendable (Event) async -> Void
    private let backoff = RestartBackoff()
    private(set) var workers: [WorkerState]
    /// How the workers ended last, by their index, and when the next are started; empty once they have settled.
    private(set) var lastEnds: [Int: LastEnd] = [:]
    /// The processes of workers that run, by the workers' names.
    package private(set) var pids: [String: Int32] = [:]
    /// Why this server ended processes that have not been seen to end yet.
    private var causes: [Int32: WorkerExit] = [:]
    private var arguments: ReadyMessage?
    private var wasReady = false
    private let tally = ModelTally()

    /// - Parameters:
    ///   - name: Prefix of its workers' names (`iris-3-0` gives `iris-3-0-0`, …).
    ///   - version: Of the API, that its answers are of.
    ///   - kernelKills: Tells a worker that the kernel ended for memory from one that somebody killed.
    ///   - log: Takes the lines of its workers; must not wait.
    ///   - report: Hears what happens.
    package init(
        name: String,
        version: Int,
        processes: Int,
        launch: WorkerLaunch,
        queue: AdmissionQueue,
        registry: WorkerRegistry,
        ledger: WorkerLedger,
        kernelKills: KernelKills,
        log: @escaping @Sendable (LogMessage, _ worker: String) -> Void,
        report: @escaping @Sendable (Event) async -> Void
    ) {
        self.name = name
        self.version = version
        self.processes = processes
        self.launch = launch
        self.queue = queue
        self.registry = registry
        self.ledger = ledger
        self.kernelKills = kernelKills
        self.log = log
        self.report = report
        self.workers = Array(repeating: .starting(ends: 0), count: processes)
    }

    /// What the predictor's methods take; nil before the first worker was ready.
    package var contract: ReadyMessage? { self.arguments }

    /// Its workers, by what they do.
    package var workerStates: [WorkerState.Label: Int] {
        var counts = self.workers.reduce(into: [WorkerState.Label: Int]()) { counts, worker in
            if let label = worker.label { counts[label, default: 0] += 1 }
        }
        let stopped = self.stoppedWorkers().count
        if stopped > 0 {
            counts[.ready, default: 0] -= stopped
            counts[.stopped] = stopped
        }
        return counts
    }

    package var readyWorkers: Int { self.workers.lazy.filter(\.isReady).count }

    /// Runs its workers until they are drained, or until no further try can help; cancelling the task ends them at once.
    package func run() async {
        // A slot each, and the control connection, the output, and what watches the process.
        let descriptors = self.processes * (self.launch.welcome.threads + 4)
        Descriptors.keep(descriptors)
        defer { Descriptors.keep(-descriptors) }
        let watch = Task { await self.watchForStops() }
        defer { watch.cancel() }
        await self.queue.join(self.name, version: self.version)
        await withDiscardingTaskGroup { group in
            for index in 0..<self.processes {
                group.addTask { await self.supervise(index) }
            }
        }
        await self.queue.leave(self.name)
    }

    /// Writes a line of its own into the log of its workers.
    func tell(_ text: String, of worker: String) {
        self.log(LogMessage(level: "warning", message: text, requestID: nil, stream: "cortex"), worker)
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
        for pid in self.pids.values { WorkerSession.end(pid) }
    }

    /// Ends a worker with all that it started; it is started again.
    /// - Parameter exit: How its end is to be told.
    package func end(_ worker: String, as exit: WorkerExit) {
        guard let pid = self.pids[worker] else { return }
        self.note(exit, of: pid)
        WorkerSession.end(pid)
    }

    /// Remembers why a process is about to be ended, unless it has ended by itself.
    private func note(_ exit: WorkerExit, of pid: Int32) {
        guard self.causes[pid] == nil, !WorkerSession.isEnding(pid) else { return }
        self.causes[pid] = exit
    }

    /// How a process ended, where its own status tells only that it was killed.
    private func exit(of pid: Int32?, _ status: WorkerExit) -> WorkerExit {
        guard status == .signal(SIGKILL) else { return status }
        if let pid, let cause = self.causes[pid] { return cause }
        return self.kernelKills.explainsExit() ? .outOfMemory(.machine) : status
    }

    // MARK: One worker

    func workerName(_ index: Int) -> String { "\(self.name)-\(index)" }

    private func supervise(_ index: Int) async {
        let worker = self.workerName(index)
        while !Task.isCancelled {
            if self.workers[index] == .stopped || self.workers[index] == .draining { return }
            self.workers[index].beganStart()
            let error = await self.runOnce(index, worker)
            let wasReady = self.workers[index].isReady
            let isFinal = if case .failed(let message) = error { !Self.mayPass.contains(message.stage) } else { false }
            let decision = self.workers[index].exited(isFinal: isFinal, at: .now)
            // Before it is told: who asks then is to hear why.
            if case .restart = decision { self.lastEnds[index] = LastEnd(cause: Self.cause(of: error)) }
            if wasReady, case .exited(let exit) = error { await self.report(.workerExited(worker: worker, exit)) }
            switch decision {
            case .finish:
                if self.workers[index] == .stopped, isFinal, let error {
                    await self.report(.startFailed(worker: worker, error, willRetry: false))
                }
                return
            case .restart(let ends):
                let delay = self.backoff.delay(ends: ends, wasReady: wasReady)
                self.lastEnds[index]?.nextStart = .now + delay
                if !wasReady, let error { await self.report(.startFailed(worker: worker, error, willRetry: true)) }
                if ends == RestartBackoff.loop {
                    let cause = Self.cause(of: error)
                    await self.report(.looping(ReplicaHealth.Loop(worker: worker, ends: ends, cause: cause)))
                }
                // Requests wait for the first restarts; then there is no telling when one lasts.
                if RestartBackoff.refuses(ends: ends, wasReady: wasReady) {
                    let isShort = error?.isOutOfMemory ?? false
                    let reason =
                        isShort ? "its workers run out of memory" : "its workers end as soon as they are started"
                    await self.queue.failfast(self.name, reason: reason, for: delay)
                }
                try? await Task.sleep(for: delay)
            }
        }
    }

    private static func cause(of error: WorkerError?) -> String {
        switch error {
        case .exited(let exit): "\(exit)"
        case .failed(let message): "failed with \(message.error)"
        case .couldNotStart(let reason): "could not be started: \(reason)"
        case .unknownWorker, .wrongProtocol, nil: "ended"
        }
    }

    /// Stages of a start whose failure may be gone the next time; what fails before is in the code.
    private static let mayPass: Set<String> = ["constructor", "models"]

    private func runOnce(_ index: Int, _ worker: String) async -> WorkerError? {
        let log = self.log
        var launch = self.launch
        if launch.environmentByWorker.indices.contains(index) {
            launch.environment.merge(launch.environmentByWorker[index]) { $1 }
        }
        let process = WorkerProcess(
            name: worker,
            replica: self.name,
            launch: launch,
            queue: self.queue,
            registry: self.registry,
            ledger: self.ledger,
            log: { log($0, worker) }
        )
        defer { self.exited(worker) }
        do {
            let outcome = try await process.run(
                onStart: { self.started(index, worker, pid: $0) },
                onGivenUp: { await self.note(.disconnected, of: $0) },
                onReady: { await self.becameReady(index, worker, $0) },
                onMissing: { await self.report(.missing(worker: worker, $0)) },
                onCounted: { await self.tally.counted($0, by: worker) }
            )
            await self.forget(worker)
            if let failure = outcome.failure { return .failed(failure) }
            return .exited(self.exit(of: self.pids[worker], outcome.exit))
        } catch let error as WorkerError {
            await self.forget(worker)
            return error
        } catch {
            await self.forget(worker)
            return .couldNotStart(reason: "\(error)")
        }
    }

    private func forget(_ worker: String) async {
        await self.queue.workerEnded(worker)
        await self.tally.ended(worker)
        await self.launch.models.ended(worker)
        self.launch.userMetrics.ended(worker)
    }

    /// How often its workers had a model in memory and how often not, as of now, or at the end of `limit` as of last time.
    ///
    /// Nothing where there are no models.
    package func modelCounts(within limit: Duration) async -> ModelCounts {
        guard self.launch.models.hasModels else { return ModelCounts() }
        let queue = self.queue
        return await self.tally.total(of: Array(self.pids.keys), within: limit) { await queue.askForModelCounts($0) }
    }

    private func started(_ index: Int, _ worker: String, pid: Int32) {
        self.pids[worker] = pid
        self.kernelKills.mark()
        OutOfMemoryScore.raise(of: pid)
        // Drained between the decision to start it and now: it has nothing to finish.
        switch self.workers[index] {
        case .draining, .stopped: WorkerSession.end(pid)
        case .starting, .ready, .backingOff: break
        }
    }

    private func becameReady(_ index: Int, _ worker: String, _ message: ReadyMessage) async {
        // The process is not waited for before this returns, so that it is the same one afterwards.
        await self.launch.inspect()
        guard let pid = self.pids[worker], self.causes[pid] == nil else { return }
        self.workers[index].becameReady(at: .now)
        await self.queue.workerBecameReady(worker)
        self.arguments = message
        guard self.workers.allSatisfy(\.isReady) else { return }
        let isFirst = !self.wasReady
        self.wasReady = true
        await self.report(isFirst ? .ready : .recovered)
    }

    // MARK: Exits

    private var exitWaiters: [CheckedContinuation<Void, Never>] = []

    private func exited(_ worker: String) {
        if let pid = self.pids.removeValue(forKey: worker) {
            self.ledger.ended(pid)
            self.causes[pid] = nil
        }
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
