import CortexGateway
import NIOCore

/// What clients are told that get no answer.
extension UpstreamLoop {
    var full: UpstreamFailure {
        let limit = self.standing.replicaLimit * max(self.replicas.count, 1)
        let depth = max(self.shared.inFlight - 1, limit)
        return .queueFull(depth: depth, limit: limit, retryAfter: self.shared.retryAfter)
    }

    var fullOfWaiting: UpstreamFailure {
        .queueFull(depth: self.shared.waiting, limit: self.standing.replicaLimit, retryAfter: 10)
    }

    var notWoken: UpstreamFailure {
        let seconds = self.shared.settings.wakeTimeout.nanoseconds / 1_000_000_000
        let reason = "it was asleep, and its first replica is not ready after \(seconds) s"
        return .notReady(reason: reason, retryAfter: 10)
    }

    /// - Parameter request: One that was tried, or held.
    func nothingReady(_ request: NetworkRequest?) -> UpstreamFailure {
        if let request, let refusal = request.refusal {
            let reason = "each of its \(self.replicas.count) replicas has refused it (\(refusal.code))"
            return .notReady(reason: reason, retryAfter: refusal.retryAfter ?? 1)
        }
        guard self.replicas.isEmpty else {
            return .notReady(reason: "none of its \(self.replicas.count) replicas can be reached", retryAfter: 1)
        }
        return .notReady(reason: self.standing.obstacle ?? "none of its replicas is ready", retryAfter: 5)
    }

    func lost(_ endpoint: ReplicaEndpoint) -> UpstreamFailure {
        .refused(
            UpstreamError(
                status: 502,
                code: "WORKER_CRASHED",
                message: "the replica of \(self.shared.api) that ran this request has ended",
                hint: "`cortex logs \(self.shared.api)` shows its last lines"
            )
        )
    }
}
