import CortexControlPlane
import CortexServing
import CortexSpec

/// One replica of a version on this machine: its workers, their devices, and the memory that they may have.
actor LocalReplica {
    /// `iris-3-0`: the API's name, its version, and a number that no other replica of that version has.
    nonisolated let name: String
    nonisolated let number: Int
    nonisolated let version: LocalVersion
    private let machine: LocalMachine
    private let queue: AdmissionQueue
    private let steps = Interruption()
    private var replica: Replica?

    init(_ version: LocalVersion, number: Int, machine: LocalMachine, queue: AdmissionQueue) {
        self.version = version
        self.number = number
        self.machine = machine
        self.queue = queue
        self.name = "\(version.deployment.spec.name)-\(version.deployment.version)-\(number)"
    }

    /// Gets the devices that it needs, starts its workers, and runs until they have ended.
    ///
    /// - Parameters:
    ///   - onWait: Hears, in a sentence, what is waited for, and nil once there is nothing.
    ///   - report: Hears what happens to its workers.
    func run(
        _ opening: LocalVersion.Opening,
        onWait: @escaping @Sendable (String?) async -> Void,
        report: @escaping @Sendable (Replica.Event) async -> Void
    ) async throws {
        let ended: Result<Void, any Error>
        do {
            ended = .success(try await self.runWorkers(opening, onWait: onWait, report: report))
        } catch {
            ended = .failure(error)
        }
        await self.machine.devices.release(self.owner)
        try ended.get()
    }

    private func runWorkers(
        _ opening: LocalVersion.Opening,
        onWait: @escaping @Sendable (String?) async -> Void,
        report: @escaping @Sendable (Replica.Event) async -> Void
    ) async throws {
        let spec = self.version.deployment.spec
        var launch = try await self.withDevices(opening.launch, onWait: onWait)
        guard !self.steps.isEnded else { return }
        if spec.compute.memory != nil {
            // A constructor that needs too much must not be live for a moment.
            let (memory, name) = (self.machine.memory, self.name)
            launch.inspect = { await memory.look(at: name) }
        }
        let (log, number) = (self.version.log, self.version.deployment.version)
        let replica = Replica(
            name: self.name,
            version: number,
            processes: spec.predictor.processesPerReplica,
            launch: launch,
            queue: self.queue,
            registry: opening.registry,
            ledger: self.machine.ledger,
            kernelKills: self.machine.kernelKills,
            log: { log.write($0, version: number, worker: $1) },
            report: report
        )
        self.replica = replica
        await self.withinMemory(replica) { await replica.run() }
        self.replica = nil
    }

    private var owner: DeviceTable.Owner {
        DeviceTable.Owner(deployment: self.version.id, replica: self.number, api: self.version.deployment.spec.name)
    }

    private func withDevices(
        _ launch: WorkerLaunch,
        onWait: @escaping @Sendable (String?) async -> Void
    ) async throws -> WorkerLaunch {
        var launch = launch
        let (spec, owner) = (self.version.deployment.spec, self.owner)
        for kind in DeviceKind.allCases {
            let count = kind.count(in: spec.compute)
            guard count > 0 else { continue }
            let devices = self.machine.devices
            let grant = try await self.steps.run {
                try await devices.take(count, kind, for: owner) { await onWait($0) }
            }
            self.version.log.write("\(self.name): \(grant)", version: self.version.deployment.version)
            launch.environment.merge(grant.variables) { $1 }
            launch.environmentByWorker = grant.variablesByWorker(processes: spec.predictor.processesPerReplica)
        }
        await onWait(nil)
        return launch
    }

    /// Has its memory watched while `body` runs, if it has a limit.
    private func withinMemory(_ replica: Replica, _ body: () async -> Void) async {
        guard let limit = self.version.deployment.spec.compute.memory else { return await body() }
        let directory = self.version.projectDirectory
        let subject = MemoryWatch.Subject(
            limit: limit,
            workers: { await replica.familyHeads(in: directory) },
            end: { await replica.end($0, as: .outOfMemory($1)) }
        )
        await self.machine.memory.add(self.name, subject)
        await body()
        await self.machine.memory.remove(self.name)
    }

    // MARK: While it runs

    func health() async -> ReplicaHealth { await self.replica?.health() ?? ReplicaHealth(ready: 0) }

    /// What its predictor is made of; nil before it was ready.
    func contract() async -> ReadyMessage? { await self.replica?.contract }

    func workerStates() async -> [WorkerState.Label: Int] { await self.replica?.workerStates ?? [:] }

    /// Its workers' processes.
    func workers() async -> Set<WorkerFamilies.Worker> {
        await self.replica?.familyHeads(in: self.version.projectDirectory) ?? []
    }

    func modelCounts(within limit: Duration) async -> ModelCounts {
        await self.replica?.modelCounts(within: limit) ?? ModelCounts()
    }

    func end(_ worker: String, as exit: WorkerExit) async { await self.replica?.end(worker, as: exit) }

    /// Why it did not answer a sample well, in a sentence; nil where it did.
    func answerSample(_ request: @escaping @Sendable () -> PredictRequest) async -> String? {
        guard let replica = self.replica else { return "\(self.name) has ended" }
        return await replica.answerSample(request)
    }

    /// Lets some time pass; false where it ends meanwhile.
    func pause(for duration: Duration) async -> Bool { await self.steps.pause(for: duration) }

    // MARK: Ending

    /// Gets no more requests, finishes those that it has, then ends its workers.
    ///
    /// `run` returns soon after.
    /// - Parameter grace: How long what it has may take; nil where it has never been let in, and nobody waits for it.
    func drain(grace: Duration?, counters: ModelCounters) async {
        self.steps.end()
        guard let replica = self.replica else { return }
        let (queue, name) = (self.queue, self.name)
        let isFinished = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await queue.drain(name)
                return true
            }
            group.addTask {
                guard (try? await Task.sleep(for: grace ?? .zero)) != nil else { return true }
                return await queue.abandon(name)
            }
            defer { group.cancelAll() }
            return await group.next() ?? true
        }
        counters.ended(await self.modelCounts(within: .milliseconds(250)))
        // A worker that still runs what nobody waits for has had its time.
        await replica.drain(grace: isFinished ? .seconds(10) : .seconds(1))
    }
}
