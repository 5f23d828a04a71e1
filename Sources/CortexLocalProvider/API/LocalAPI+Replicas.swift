import CortexControlPlane
import CortexServing
import CortexSpec

/// The life of each replica.
extension LocalAPI {
    func start(_ version: LocalVersion) {
        guard let opening = self.opening(of: version) else { return }
        let replica = LocalReplica(
            version,
            number: self.freeNumber(of: version),
            machine: self.machine,
            queue: self.queue
        )
        self.lastReplica += 1
        let id = self.lastReplica
        self.replicas.append(ReplicaRecord(id: id, replica: replica))
        self.spawn { await self.run(replica, id, opening) }
    }

    private func run(_ replica: LocalReplica, _ id: Int, _ opening: LocalVersion.Opening) async {
        let version = replica.version
        do {
            try await replica.run(
                opening,
                onWait: { await self.waits(id, reason: $0) },
                report: { await self.heard($0, of: id, replica) }
            )
        } catch is CancellationError {
            // Nobody waits for it any more.
        } catch {
            self.note(.failed(reason: "\(error)"), id)
            await self.failed(version, reason: "\(error)")
        }
        self.ended(id)
        self.reconcile()
        await self.settle(version)
    }

    /// One that was to end is forgotten; one that could not go on stays, so that no other is started in its place.
    private func ended(_ id: Int) {
        guard let index = self.replicas.firstIndex(where: { $0.id == id }) else { return }
        switch self.replicas[index].stage {
        case .draining: self.replicas.remove(at: index)
        case .starting, .ready, .down:
            self.replicas[index].stage = .failed(reason: "its workers have ended")
            self.replicas[index].hasEnded = true
        case .failed: self.replicas[index].hasEnded = true
        }
    }

    /// Lets a replica finish what it has, and go.
    func drain(_ id: Int) {
        guard let record = self.record(id), record.stage != .draining else { return }
        guard !record.hasEnded else { return self.replicas.removeAll { $0.id == id } }
        self.note(.draining, id)
        let (counters, grace) = (self.modelCounters, record.isAdmitted ? self.drainGrace : nil)
        self.spawn { await record.replica.drain(grace: grace, counters: counters) }
    }

    // MARK: What is heard of it

    private func waits(_ id: Int, reason: String?) async {
        guard let record = self.record(id) else { return }
        let version = record.replica.version
        self.note(wait: reason, id)
        guard let reason else { return await self.goesOn(version) }
        guard version === self.wanted, self.rollout.isOpen else { return }
        let number = version.deployment.version
        self.log.write("version \(number) waits: \(reason)", version: number)
        self.rollout = .waiting(reason: reason)
        self.progress("waiting: \(reason)", of: version)
        await self.publishAbsence(of: version, reason: reason, retryAfter: 10)
    }

    func goesOn(_ version: LocalVersion) async {
        guard version === self.wanted, case .waiting = self.rollout else { return }
        guard !self.replicas.contains(where: { $0.replica.version === version && $0.wait != nil }) else { return }
        self.rollout = .running
        await self.publishAbsence(of: version, reason: "it is starting")
    }

    private func heard(_ event: Replica.Event, of id: Int, _ replica: LocalReplica) async {
        let version = replica.version
        let number = version.deployment.version
        switch event {
        case .ready:
            guard let sample = self.sample(for: version) else { return await self.admit(id, replica) }
            // Not awaited here: what the worker says while it answers (of its models) comes this way too.
            self.spawn { await self.prove(id, replica, sample) }
        case .recovered:
            guard let record = self.record(id), record.stage == .down else { break }
            self.note(.ready, id)
            self.reconcile()
        case .missing(let worker, let message): await self.missed(message, by: worker, of: version)
        case .startFailed where self.missing.isReplaced(version): break
        case .startFailed(let worker, let error, let willRetry):
            await self.startFailed(id, replica, worker: worker, error, willRetry: willRetry)
        case .workerExited(let worker, let exit):
            self.restarts[exit.label, default: 0] += 1
            if version === self.serving { self.shortage = exit.isOutOfMemory ? "worker \(worker) \(exit)" : nil }
            if self.record(id)?.stage == .ready { self.note(.down, id) }
            self.log.write(level: "error", "\(worker) \(exit); starting another", version: number, worker: worker)
            // One in a loop would fill the history: that it loops is told once, and its ends are counted by the metric.
            guard await replica.health().loop == nil else { break }
            self.emit(ProviderEvent(api: self.name, version: number, kind: .workerExited, message: "\(worker) \(exit)"))
        case .looping(let loop):
            guard self.record(id)?.isAdmitted == true else { break }
            self.log.write(level: "error", "crash loop: \(loop)", version: number, worker: loop.worker)
            self.emit(ProviderEvent(api: self.name, version: number, kind: .crashLoop, message: "\(loop)"))
        }
    }

    private func startFailed(
        _ id: Int,
        _ replica: LocalReplica,
        worker: String,
        _ error: WorkerError,
        willRetry: Bool
    ) async {
        let version = replica.version
        let number = version.deployment.version
        self.log.write(level: "error", Self.text(of: error), version: number, worker: worker)
        if version === self.serving { self.shortage = error.isOutOfMemory ? "\(error)" : nil }
        let advice = self.missing.advice(for: worker).map { "; \($0)" } ?? ""
        let reason = "\(error)\(advice)"
        // One that has been let in goes on with the workers that it has.
        if self.record(id)?.isAdmitted == false || !willRetry { self.note(.failed(reason: LogText.block(reason)), id) }
        await self.failed(version, reason: reason, isOutOfMemory: error.isOutOfMemory)
        if version === self.serving {
            let cause = "its predictor could not be started; `cortex logs \(self.name)` shows why"
            await self.queue.failWaking(reason: cause, for: await replica.health().nextStart)
        }
        self.reconcile()
        guard willRetry else { return }
        await self.publishRetry(of: version)
        self.log.write(level: "warning", "\(worker) is started once more", version: number, worker: worker)
    }

    /// The user's traceback where there is one, since it says more than its last line.
    private static func text(of error: WorkerError) -> String {
        guard case .failed(let message) = error, let traceback = message.traceback, !traceback.isEmpty else {
            return "\(error)"
        }
        // A broken contract has no frames to show.
        guard traceback.contains("Traceback") || traceback.contains("File \"") else { return message.error }
        return "\(message.error)\n\(traceback)"
    }

    /// A replica takes requests from now on; the first of a version brings that version's settings into effect.
    func admit(_ id: Int, _ replica: LocalReplica) async {
        guard let contract = await replica.contract() else { return }
        let version = replica.version
        guard let record = self.record(id), record.stage != .draining else { return }
        // A newer version may have taken over while this one started.
        guard self.isNeeded(version) else { return self.drain(id) }
        // First: were it drained while this waits, it would have to be left the time for what it has been given.
        self.note(.ready, id)
        await self.queue.admit(replica.name, arguments: PredictArguments(names: contract.arguments))
        if let adopted = self.adopted, version === self.serving {
            await self.queue.setVersion(adopted.version, of: replica.name)
        }
        if version !== self.serving, self.isNeeded(version) {
            await self.promote(version, contract)
        } else if version === self.serving, self.servingContract == nil {
            self.servingContract = contract
            await self.publish(version)
        }
        self.reconcile()
    }

    private func promote(_ version: LocalVersion, _ contract: ReadyMessage) async {
        self.serving = version
        self.adopted = nil
        self.shortage = nil
        self.servingContract = contract
        if version === self.wanted { self.rollout = .running }
        self.missing.promoted(version)
        await version.becameLive()
        await self.queue.setReplicaLimit(version.deployment.spec.autoscaling.maxReplicaConcurrency)
        await self.publish(version)
    }

    /// Told once for each version, however often it is tried.
    func failed(_ version: LocalVersion, reason: String, isOutOfMemory: Bool = false) async {
        guard !self.missing.isExtension(version) else { return self.extensionFailed(version, reason: reason) }
        await self.goesOn(version)
        guard version === self.wanted, case .running = self.rollout else { return }
        let number = version.deployment.version
        // What user code raised goes to terminals.
        let reason = LogText.block(reason)
        self.log.write(level: "error", "version \(number) could not be started: \(reason)", version: number)
        self.rollout = .failed(reason: reason, isOutOfMemory: isOutOfMemory)
        self.emit(ProviderEvent(api: self.name, version: number, kind: .failed, message: reason))
        let advice = "its predictor could not be started; `cortex logs \(self.name)` shows why"
        await self.publishAbsence(of: version, reason: advice, retryAfter: 10)
    }
}

extension LocalAPI.Rollout {
    /// Whether it may still wait for something.
    var isOpen: Bool {
        switch self {
        case .running, .waiting: true
        case .failed, .done: false
        }
    }
}
