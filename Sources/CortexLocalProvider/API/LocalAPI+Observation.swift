import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec

/// What is seen of an API from outside.
extension LocalAPI {
    func observation() async -> APIObservation {
        let spec = (self.adopted ?? (self.wanted ?? self.serving)?.deployment)?.spec
        let load = await self.load()
        let seen = await self.replicasSeen()
        var status: APIStatus
        var reason: String?
        (status, reason) = self.status(load, seen)
        if case .failed = self.rollout, let text = reason {
            let health = await self.health(of: self.replicas.filter { $0.replica.version === self.wanted })
            if health.failedStarts > 0 {
                let next = health.nextStart.map { ", the next start is in \($0.components.seconds + 1) s" } ?? ""
                reason = "\(text) (\(Self.attempts(health))\(next))"
            }
        }
        let counters = await self.machine.gateway.counters(of: self.name)
        return APIObservation(
            status: status,
            reason: reason,
            progress: self.activity.text ?? (load.isWaking ? "waking: its first replica is starting" : nil),
            servingVersion: self.adopted?.version ?? self.serving?.deployment.version,
            replicas: seen.counts,
            eachReplica: seen.each,
            requests: RequestStatistics(counters),
            endpoint: self.machine.baseURL + (spec?.networking.endpoint ?? "/\(self.name)")
        )
    }

    /// The replicas at a moment.
    struct Seen {
        var counts: ReplicaCounts
        var each: [ReplicaObservation] = []
        /// Why the first that does not come up does not.
        var failure: String?
        /// What the first that waits for devices waits for.
        var wait: String?
    }

    private func replicasSeen() async -> Seen {
        var seen = Seen(counts: ReplicaCounts(requested: self.desired ?? 0))
        for record in self.replicas {
            let isNew = self.isNew(record.replica.version)
            let health = await record.replica.health()
            seen.each.append(record.observation(health))
            switch record.stage {
            case .ready, .down:
                guard health.ready > 0 else {
                    seen.counts.failed += isNew ? 1 : 0
                    continue
                }
                if isNew { seen.counts.ready += 1 } else { seen.counts.stale += 1 }
            case .failed(let reason) where isNew:
                seen.counts.failed += 1
                seen.failure = seen.failure ?? reason
            case .starting where isNew: seen.wait = seen.wait ?? record.wait
            case .starting, .failed, .draining: continue
            }
        }
        // It could not even be tried: its environment, or its models.
        if case .failed = self.rollout, seen.counts.failed == 0 { seen.counts.failed = 1 }
        return seen
    }

    static func attempts(_ health: ReplicaHealth) -> String {
        health.failedStarts == 1 ? "tried once" : "tried \(health.failedStarts) times"
    }

    private func status(_ load: Load, _ seen: Seen) -> (APIStatus, String?) {
        switch self.rollout {
        case .running where seen.wait != nil: (.computeUnavailable, seen.wait)
        case .running where self.shortOfRoom != nil && seen.counts.ready > 0: (.computeUnavailable, self.shortOfRoom)
        case .running: (.updating, seen.counts.requested > 1 ? self.missingText(seen) : nil)
        case .waiting(let reason): (.computeUnavailable, reason)
        case .failed(let reason, _) where self.serving != nil && self.serving !== self.wanted: (.rolloutFailed, reason)
        case .failed(let reason, let isOutOfMemory): (isOutOfMemory ? .outOfMemory : .error, reason)
        case .done: self.status(serving: load, seen)
        }
    }

    /// That of a version which has been live, from what is worst to what is best.
    private func status(serving load: Load, _ seen: Seen) -> (APIStatus, String?) {
        let (health, counts) = (load.health, seen.counts)
        // Asleep: requests are taken, and wait.
        if counts.requested == 0 || load.isWaking { return (.live, nil) }
        if health.ready == 0, let shortage = self.shortage { return (.outOfMemory, shortage) }
        // Also in the moments in which its worker is there: a loop that is shown by turns is overlooked.
        if let loop = health.loop {
            let others = counts.requested > 1 ? "; \(self.missingText(seen) ?? "all replicas are ready")" : ""
            return (.crashLoop, "\(loop)\(others); `cortex logs \(self.name)` shows its last lines")
        }
        if load.isFailing {
            return (
                .error, health.obstacle ?? seen.failure ?? "its workers end as soon as they are started; see its log"
            )
        }
        if health.ready == 0, health.stopped == 0, seen.failure == nil {
            return (.updating, health.obstacle ?? "its workers are being started again")
        }
        if let obstacle = health.obstacle { return (.error, obstacle) }
        if load.isDoubtful { return (.error, "its workers run requests that are past the deadline") }
        if counts.ready >= counts.requested { return (.live, nil) }
        if let failure = seen.failure { return (.error, "\(self.missingText(seen) ?? ""): \(failure)") }
        if let wait = seen.wait ?? self.shortOfRoom { return (.computeUnavailable, wait) }
        let least = self.current?.spec.autoscaling.minReplicas ?? 1
        return counts.ready >= least ? (.live, nil) : (.updating, self.missingText(seen))
    }

    /// Nil where none is missing.
    private func missingText(_ seen: Seen) -> String? {
        guard seen.counts.ready < seen.counts.requested else { return nil }
        return
            "\(seen.counts.ready) of \(seen.counts.requested) replicas \(seen.counts.ready == 1 ? "is" : "are") ready"
    }

    /// What the predictor that serves is made of; nil while none does.
    func contract() -> ReadyMessage? {
        self.servingContract
    }

    /// What is known of the models of the version that serves, or else is to.
    func models() async -> ModelObservations {
        guard let models = await (self.serving ?? self.wanted)?.ownModels else { return ModelObservations() }
        return ModelObservations(versions: await models.observations(), troubles: await models.troubles())
    }
}

extension LocalAPI.ReplicaRecord {
    func observation(_ health: ReplicaHealth) -> ReplicaObservation {
        let (state, reason): (ReplicaObservation.State, String?) =
            switch self.stage {
            case .starting: (.starting, self.wait ?? health.obstacle)
            case .ready: (health.ready > 0 ? .ready : .restarting, health.obstacle)
            case .down: (.restarting, health.obstacle)
            case .failed(let reason): (.failed, reason)
            case .draining: (.draining, nil)
            }
        let version = self.replica.version.deployment.version
        return ReplicaObservation(name: self.replica.name, version: version, state: state, reason: reason)
    }
}
