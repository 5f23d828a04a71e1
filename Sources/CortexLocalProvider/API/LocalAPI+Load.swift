import CortexControlPlane
import CortexServing

/// What the API's workers do at a moment.
extension LocalAPI {
    struct Load: Sendable {
        /// Of the replicas that are to serve.
        var health = ReplicaHealth(ready: 0)
        /// Its workers end as soon as they are started.
        var isFailing = false
        /// Its workers are ready, and run requests that are past their deadline.
        var isDoubtful = false
        /// Requests wait for its first replica, which is starting.
        var isWaking = false
        var inFlight = 0
        var queued = 0
        /// Workers, by what they do, those of versions that end among them.
        var workers: [WorkerState.Label: Int] = [:]
    }

    func load() async -> Load {
        var load = Load(
            health: await self.health(),
            isFailing: await self.queue.isFailing,
            isDoubtful: await self.queue.isDoubtful,
            isWaking: await self.queue.isWaking,
            inFlight: await self.queue.inFlight,
            queued: await self.queue.queued
        )
        for record in self.replicas {
            load.workers.merge(await record.replica.workerStates(), uniquingKeysWith: +)
        }
        return load
    }

    /// For the autoscaler; nil where the API is about to go.
    func scalingLoad() async -> APILoad? {
        let load = await self.queue.load
        guard let current = self.current, let requested = self.desired, !self.isWithdrawn else { return nil }
        return APILoad(
            spec: current.spec,
            version: current.version,
            requested: requested,
            isServing: load.openSlots > 0,
            inFlight: load.inFlight,
            received: load.received
        )
    }

    /// Of all replicas that have been let in.
    func health() async -> ReplicaHealth {
        await self.health(of: self.replicas.filter(\.isAdmitted))
    }

    func health(of records: [ReplicaRecord]) async -> ReplicaHealth {
        var healths: [ReplicaHealth] = []
        for record in records where !record.hasEnded { healths.append(await record.replica.health()) }
        return ReplicaHealth(of: healths)
    }
}
