import CortexServing

extension LocalVersion {
    /// What its workers do at a moment.
    struct Load: Sendable {
        var health = ReplicaHealth(ready: 0)
        /// Its workers end as soon as they are started.
        var isFailing = false
        /// Its workers are ready, and run requests that are past their deadline.
        var isDoubtful = false
        var inFlight = 0
        var queued = 0
        /// Workers, by what they do.
        var workers: [WorkerState.Label: Int] = [:]

        static func += (lhs: inout Self, rhs: Self) {
            lhs.health.ready += rhs.health.ready
            lhs.isFailing = lhs.isFailing || rhs.isFailing
            lhs.inFlight += rhs.inFlight
            lhs.queued += rhs.queued
            lhs.workers.merge(rhs.workers, uniquingKeysWith: +)
        }
    }

    func load() async -> Load {
        guard let running = self.running else { return Load() }
        return Load(
            health: await running.replica.health(),
            isFailing: await running.queue.isFailing,
            isDoubtful: await running.queue.isDoubtful,
            inFlight: await running.queue.inFlight,
            queued: await running.queue.queued,
            workers: await running.replica.workerStates
        )
    }
}
