import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec

/// What is seen of an API from outside.
extension LocalAPI {
    func observation() async -> APIObservation {
        let spec = (self.adopted ?? (self.wanted ?? self.serving)?.deployment)?.spec
        let load = await self.serving?.load() ?? LocalVersion.Load()
        // One that gets packages added is as new as the one that will have them.
        let isCurrent = self.serving === self.wanted || self.missing.isExtension(self.wanted)
        let status: APIStatus
        var reason: String?
        (status, reason) = self.status(load)
        if case .failed = self.rollout, let text = reason, let health = await self.wanted?.load().health,
            health.failedStarts > 0
        {
            let next = health.nextStart.map { ", the next start is in \($0.components.seconds + 1) s" } ?? ""
            reason = "\(text) (\(Self.attempts(health))\(next))"
        }
        let counters = await self.machine.gateway.counters(of: self.name)
        return APIObservation(
            status: status,
            reason: reason,
            progress: self.activity.text,
            servingVersion: self.adopted?.version ?? self.serving?.deployment.version,
            replicas: ReplicaCounts(
                requested: 1,
                ready: isCurrent && load.health.ready > 0 ? 1 : 0,
                stale: !isCurrent && load.health.ready > 0 ? 1 : 0,
                failed: reason == nil ? 0 : 1
            ),
            requests: RequestStatistics(counters),
            endpoint: self.machine.baseURL + (spec?.networking.endpoint ?? "/\(self.name)")
        )
    }

    static func attempts(_ health: ReplicaHealth) -> String {
        health.failedStarts == 1 ? "tried once" : "tried \(health.failedStarts) times"
    }

    private func status(_ load: LocalVersion.Load) -> (APIStatus, String?) {
        switch self.rollout {
        case .running: (.updating, nil)
        case .waiting(let reason): (.computeUnavailable, reason)
        case .failed(let reason, _) where self.serving != nil: (.rolloutFailed, reason)
        case .failed(let reason, let isOutOfMemory): (isOutOfMemory ? .outOfMemory : .error, reason)
        case .done: self.status(serving: load)
        }
    }

    /// That of a version which has been live, from what is worst to what is best.
    private func status(serving load: LocalVersion.Load) -> (APIStatus, String?) {
        let health = load.health
        if health.ready == 0, let shortage = self.shortage { return (.outOfMemory, shortage) }
        // Also in the moments in which its worker is there: a loop that is shown by turns is overlooked.
        if let loop = health.loop { return (.crashLoop, "\(loop); `cortex logs \(self.name)` shows its last lines") }
        if load.isFailing {
            return (.error, health.obstacle ?? "its workers end as soon as they are started; see its log")
        }
        if health.ready == 0, health.stopped == 0 {
            return (.updating, health.obstacle ?? "its workers are being started again")
        }
        if let obstacle = health.obstacle { return (.error, obstacle) }
        if load.isDoubtful { return (.error, "its workers run requests that are past the deadline") }
        return (.live, nil)
    }

    /// What the predictor that serves is made of; nil while none does.
    func contract() async -> ReadyMessage? {
        await self.serving?.contract()
    }

    /// What is known of the models of the version that serves, or else is to.
    func models() async -> ModelObservations {
        guard let models = await (self.serving ?? self.wanted)?.ownModels else { return ModelObservations() }
        return ModelObservations(versions: await models.observations(), troubles: await models.troubles())
    }
}
