import CortexControlPlane
import CortexServing
import CortexSpec

/// Makes the replicas what is wanted: up, down, or from one version to the next.
extension LocalAPI {
    /// Takes the next step of what has to be done; to be called after whatever may have changed it.
    ///
    /// It awaits nothing, so that it decides on what is so.
    func reconcile() {
        guard !self.isWithdrawn, !self.isShuttingDown, let current = self.current, let wanted = self.wanted else {
            return
        }
        let grant = self.takeRoom(current)
        // A version that nobody has seen come up must do so once, also where it may sleep then.
        let count = self.isUnderWay && !wanted.deployment.wasLive ? max(grant.count, 1) : grant.count
        let plan = RolloutPlan(desired: count, strategy: current.spec.updateStrategy)
        let planned = self.replicas.map { $0.planned(isNew: $0.replica.version === wanted) }
        // That is no reason for one of the version before: where it sleeps, requests wake it.
        let step = plan.step(for: planned, canStart: self.opening(of: wanted) != nil, restoring: grant.count)
        for _ in 0..<step.start { self.start(wanted) }
        if let serving = self.serving, serving !== wanted, self.opening(of: serving) != nil {
            for _ in 0..<step.restore { self.start(serving) }
        }
        for id in step.drain { self.drain(id) }
        self.finishRollout(current, count: min(count, max(current.spec.autoscaling.minReplicas, 1)))
        for record in self.versions where !self.isNeeded(record.version) {
            let isLeft = self.replicas.contains { $0.replica.version === record.version && $0.stage != .draining }
            if !isLeft { record.version.end() }
        }
    }

    /// What goes beyond `min_replicas` is for a load that may as well wait: where it has no room it is not asked for.
    private func takeRoom(_ current: Deployment) -> ReplicaTable.Grant {
        let least = current.spec.autoscaling.minReplicas
        let wanted = self.desired ?? least
        var grant = self.machine.room.take(wanted, of: current.spec.compute, for: self.name)
        if grant.count < wanted, least < wanted {
            self.desired = max(grant.count, least)
            grant = self.machine.room.take(self.desired ?? least, of: current.spec.compute, for: self.name)
        }
        self.shortOfRoom = grant.shortage
        return grant
    }

    private var isUnderWay: Bool { if case .done = self.rollout { false } else { true } }

    /// Tells of a version that has come up.
    /// - Parameter count: Replicas of it that have to be there.
    private func finishRollout(_ current: Deployment, count: Int) {
        guard self.isUnderWay, let wanted = self.wanted, wanted === self.serving else { return }
        guard self.replicas.count(where: { $0.isAdmitted && $0.replica.version === wanted }) >= count else { return }
        self.rollout = .done
        let (number, isAdopted) = (current.version, self.adopted != nil)
        let text = isAdopted ? "is live, with the workers that were running" : "is live"
        self.log.write("version \(number) \(text)", version: number)
        self.emit(
            ProviderEvent(
                api: self.name,
                version: number,
                kind: .live,
                message: isAdopted ? "live, without a restart" : "live",
                environment: self.opening(of: wanted)?.environmentKey
            )
        )
        // Where it may sleep, and was only to show that it comes up.
        if self.desired == 0 { self.reconcile() }
    }

    // MARK: Versions

    func begin(_ version: LocalVersion) {
        self.log.write("starting version \(version.deployment.version)", version: version.deployment.version)
        self.versions.append(VersionRecord(version: version))
        self.spawn { await self.bringUp(version) }
    }

    private func bringUp(_ version: LocalVersion) async {
        let number = version.deployment.version
        var stage = VersionRecord.Stage.hopeless
        do {
            self.progress("preparing the Python environment", of: version)
            let launch = try await self.prepare(version)
            guard self.isNeeded(version) else { throw CancellationError() }
            let opening = try await version.open(launch, self.queue)
            self.emit(
                ProviderEvent(
                    api: self.name,
                    version: number,
                    kind: .progress,
                    message: "starting the predictor",
                    environment: opening.environmentKey
                )
            )
            let queue = self.queue
            self.spawn { await version.announceModels(on: queue) { await self.replicaNames(of: version) } }
            stage = .open(opening)
        } catch is CancellationError {
            // Nobody waits for it any more.
        } catch {
            await self.failed(version, reason: "\(error)")
        }
        self.note(stage, version)
        // What was live before serves at once with all that it had; what is wanted comes beside it.
        if version !== self.wanted, self.serving == nil, self.isNeeded(version), self.opening(of: version) != nil {
            for _ in 0..<max(self.desired ?? 1, 1) { self.start(version) }
        }
        if version === self.wanted, self.serving == nil, self.desired == 0, version.deployment.wasLive {
            await self.sleepOn(version)
        }
        self.reconcile()
        await self.settle(version)
    }

    func progress(_ text: String, of version: LocalVersion) {
        self.emit(
            ProviderEvent(api: self.name, version: version.deployment.version, kind: .progress, message: text)
        )
    }

    /// Whether anybody still waits for this version: the newest wish, or a fallback while nothing serves.
    func isNeeded(_ version: LocalVersion) -> Bool {
        guard !self.isWithdrawn, !self.isShuttingDown else { return false }
        return version === self.wanted || version === self.serving
            || self.serving == nil && version.deployment.version < self.wanted?.deployment.version ?? 0
    }

    /// Nobody wants a version any more: its replicas go, and with the last one all that is left of it.
    func end(_ version: LocalVersion) {
        version.end()
        for record in self.replicas where record.replica.version === version { self.drain(record.id) }
        self.spawn { await self.settle(version) }
    }

    /// Whether a version has never served, and no replica of it is tried again.
    private func isBeyondHope(_ version: LocalVersion) -> Bool {
        let replicas = self.replicas.filter { $0.replica.version === version }
        return version !== self.serving && !replicas.isEmpty && replicas.allSatisfy(\.hasEnded)
    }

    /// Takes the files of a version away that is of no more use.
    func settle(_ version: LocalVersion) async {
        guard let index = self.versions.firstIndex(where: { $0.version === version }) else { return }
        guard !self.replicas.contains(where: { $0.replica.version === version && !$0.hasEnded }) else { return }
        switch self.versions[index].stage {
        case .preparing: return
        case .open: guard !self.isNeeded(version) || self.isBeyondHope(version) else { return }
        case .hopeless: break
        }
        self.versions.remove(at: index)
        self.replicas.removeAll { $0.replica.version === version && version !== self.wanted }
        self.missing.ended(version)
        // Only now: another version may have waited for an environment that was built in this one's folder.
        await version.close(keepsModelFiles: self.isShuttingDown)
    }
}
