import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec
import CortexTelemetry
import NIOCore

/// One API on this machine: its queue, its versions, and the replicas of each.
///
/// What is wanted changes in `apply` and `scale`; `reconcile` (`LocalAPI+Rollout.swift`) makes the replicas follow, a step at
/// a time, after whatever has happened.
actor LocalAPI {
    let name: APIName
    nonisolated let log: APILog
    let machine: LocalMachine
    /// Where its requests wait, as long as there is the API.
    nonisolated let queue: AdmissionQueue
    let emit: @Sendable (ProviderEvent) -> Void
    let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    /// Workers that are to be ended, since one of their requests is past its deadline for too long.
    private let overdue: AsyncStream<Overdue>
    private let foundOverdue: AsyncStream<Overdue>.Continuation
    /// Requests that found no replica, where none was wanted.
    let wakes: (asked: AsyncStream<Void>, ask: AsyncStream<Void>.Continuation)
    /// The newest version that was asked for.
    var wanted: LocalVersion?
    /// The newest of which a replica has been ready: its settings are in effect.
    var serving: LocalVersion?
    /// What the predictor of `serving` is made of.
    var servingContract: ReadyMessage?
    /// All versions that there is anything of.
    var versions: [VersionRecord] = []
    var replicas: [ReplicaRecord] = []
    var lastReplica = 0
    /// How many replicas are wanted; nil before the first wish.
    var desired: Int? {
        didSet { if (self.desired == 0) != (oldValue == 0) { self.queue.noteAsleep(self.desired == 0) } }
    }
    /// Why fewer replicas run than are wanted; nil where that is not so.
    var shortOfRoom: String?
    /// What there is to do for versions whose workers miss a module.
    var missing = MissingModules()
    /// The newest deployment that `serving` answers for, where no worker had to be started for it.
    var adopted: Deployment?
    var rollout = Rollout.done
    /// How often a worker was replaced, by the reason of its end.
    var restarts: [String: Int] = [:]
    /// Why the last worker of `serving` ended, where that was for memory.
    var shortage: String?
    let modelCounters = ModelCounters()
    let userMetrics = UserMetrics()
    /// What was told of the models last: while a replica ends, its counts may be in neither of two sums for a moment.
    var toldModelCounts = ModelCounts()
    /// What is done for the version that comes up.
    let activity = Activity()
    /// Deleted: whatever still starts is not to serve.
    var isWithdrawn = false
    /// The server ends: nothing is started any more, and files stay for the next server.
    var isShuttingDown = false
    /// Nil where anybody may call.
    var knownKeys: KnownKeys?

    /// A worker that does not come back from a request.
    private struct Overdue {
        var worker: String
        var exit: WorkerExit
    }

    /// How far the newest version has come.
    enum Rollout {
        /// Next: `waiting`, `failed`, `done`.
        case running
        /// It has all that it needs but devices that other APIs have. Next: `running`.
        case waiting(reason: String)
        /// It could not be started; the version before, if there is one, serves on. Next: `done`, if a later try succeeds.
        case failed(reason: String, isOutOfMemory: Bool)
        /// As many replicas of the newest version as there have to be have been ready.
        case done
    }

    /// - Parameter spawn: Runs a long job beside others, until the provider ends.
    init(
        name: APIName,
        log: APILog,
        machine: LocalMachine,
        emit: @escaping @Sendable (ProviderEvent) -> Void,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.name = name
        self.log = log
        self.machine = machine
        self.emit = emit
        self.spawn = spawn
        let overdue = AsyncStream.makeStream(of: Overdue.self, bufferingPolicy: .bufferingNewest(1024))
        (self.overdue, self.foundOverdue) = (overdue.stream, overdue.continuation)
        let wakes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wakes = (wakes.stream, wakes.continuation)
        self.queue = AdmissionQueue(
            on: machine.eventLoops.next(),
            replicaLimit: AutoscalingSpec().maxReplicaConcurrency,
            handOverDepth: machine.handOverDepth,
            wakeTimeout: machine.wakeTimeout,
            endWorker: { overdue.continuation.yield(Overdue(worker: $0, exit: $1)) },
            onWake: { wakes.continuation.yield() }
        )
    }

    /// Ends workers that do not come back, until the API has ended.
    func endOverdueWorkers() async {
        for await overdue in self.overdue {
            // A worker's name is that of its replica, and its number in it.
            guard let record = self.replicas.first(where: { overdue.worker.hasPrefix("\($0.replica.name)-") })
            else { continue }
            await record.replica.end(overdue.worker, as: overdue.exit)
        }
    }

    // MARK: Wishes

    /// The newest deployment that was asked for.
    var current: Deployment? {
        self.wanted === self.serving ? self.adopted ?? self.serving?.deployment : self.wanted?.deployment
    }

    /// Makes `deployment` the version that is to serve.
    func apply(_ deployment: Deployment, fallback: Deployment?) async {
        let extended = self.missing.applied()
        self.supersede()
        let bounds = deployment.spec.autoscaling
        self.desired = bounds.bounded(self.desired ?? deployment.replicas ?? bounds.initReplicas)
        if let serving = self.serving, deployment.hasSameWorkers(as: serving.deployment) {
            await self.adopt(deployment, by: serving)
            // What its workers said once they do not say again.
            if extended != nil, self.serving === serving { self.extend(serving) }
            return
        }
        if self.serving == nil, let fallback {
            // It serves first, and goes when the wanted one is ready.
            self.begin(self.version(fallback))
        }
        let version = self.version(deployment)
        self.wanted = version
        self.rollout = .running
        self.begin(version)
        await self.publishAbsence(of: version, reason: "it is starting")
    }

    /// Has so many replicas run, within the bounds of the API and of the machine; returns how many.
    func scale(to count: Int) -> Int? {
        guard let spec = self.current?.spec, !self.isWithdrawn else { return nil }
        let bounds = spec.autoscaling
        let most = max(bounds.minReplicas, self.machine.capacity.mostReplicas(of: spec))
        let wish = min(bounds.bounded(count), most)
        self.desired = wish
        self.reconcile()
        return self.desired
    }

    /// - Parameter attempt: Not 0 where there has been a version of the deployment already.
    func version(_ deployment: Deployment, attempt: Int = 0) -> LocalVersion {
        LocalVersion(
            deployment: deployment,
            attempt: attempt,
            machine: self.machine,
            log: self.log,
            counters: self.modelCounters,
            userMetrics: self.userMetrics
        )
    }

    /// What changed needs no new workers (networking, autoscaling): it takes effect at once.
    private func adopt(_ deployment: Deployment, by serving: LocalVersion) async {
        self.wanted = serving
        self.adopted = deployment
        self.rollout = .running
        // Who could not go on is given another try.
        self.replicas.removeAll { $0.hasEnded && $0.replica.version === serving }
        await self.queue.setReplicaLimit(deployment.spec.autoscaling.maxReplicaConcurrency)
        for record in self.replicas where record.replica.version === serving {
            await self.queue.setVersion(deployment.version, of: record.replica.name)
        }
        await self.publish(serving)
        self.reconcile()
    }

    /// The version that was to take over, and has not, makes room for a newer wish.
    func supersede() {
        guard let candidate = self.wanted, candidate !== self.serving else { return }
        self.wanted = nil
        self.end(candidate)
    }

    // MARK: The end

    /// Takes the route away: no request comes in after this.
    func withdraw() async {
        self.isWithdrawn = true
        await self.machine.gateway.removeRoute(self.name)
        self.emit(ProviderEvent(api: self.name, version: 0, kind: .removed, message: "deleted"))
    }

    /// Ends what is left of an API that was withdrawn.
    func finish() async {
        self.supersede()
        let grace = self.drainGrace
        self.serving = nil
        self.wanted = nil
        await self.drainAll(grace: grace)
        self.machine.room.release(self.name)
    }

    /// Ends all workers; their files stay for the next server.
    func shutdown() async {
        self.isShuttingDown = true
        await self.drainAll(grace: .zero)
    }

    private func drainAll(grace: Duration) async {
        for record in self.versions { record.version.end() }
        let queue = self.queue
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await queue.drain() }
            group.addTask {
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                await queue.abandon()
            }
            await group.next()
            group.cancelAll()
        }
        let records = self.replicas
        for record in records { self.note(.draining, record.id) }
        let counters = self.modelCounters
        await withDiscardingTaskGroup { group in
            for record in records { group.addTask { await record.replica.drain(grace: nil, counters: counters) } }
        }
        for record in self.versions { await self.settle(record.version) }
        self.foundOverdue.finish()
        self.wakes.ask.finish()
        self.log.sink.close()
    }

    /// Whatever was in flight has been answered by then: the deadline of each request is over.
    var drainGrace: Duration {
        let timeouts = self.versions.map(\.version.deployment) + [self.adopted].compactMap(\.self)
        return (timeouts.map(\.spec.networking.timeout).max() ?? .zero) + .seconds(30)
    }
}

extension AutoscalingSpec {
    /// The nearest count that is allowed.
    func bounded(_ count: Int) -> Int { min(max(count, self.minReplicas), self.maxReplicas) }
}
