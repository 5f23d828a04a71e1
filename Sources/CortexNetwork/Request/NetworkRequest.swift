import CortexGateway
import NIOCore

/// A request on its way to a replica, as far as it has come.
///
/// It stays on its event loop.
final class NetworkRequest {
    enum Stage {
        /// Waits for a replica. Next: `sent`, `done`.
        case held(since: NIODeadline)
        /// With a replica. Next: `held` or another `sent`, where it was not started there; `done`.
        case sent(ReplicaConnection)
        case done
    }

    let request: UpstreamRequest
    let responder: UpstreamResponder
    let arrival: NIODeadline
    var stage: Stage
    /// Replicas where it was not started, and is not to be tried again.
    var tried: [ReplicaEndpoint] = []
    /// How often it was given to a replica.
    var attempts = 0
    /// It counts among those that wait.
    var isWaiting = false
    /// What the last replica that did not start it said.
    var refusal: ReplicaError?

    init(_ request: UpstreamRequest, _ responder: UpstreamResponder, now: NIODeadline) {
        self.request = request
        self.responder = responder
        self.arrival = now
        self.stage = .held(since: now)
    }

    var isHeld: Bool { if case .held = self.stage { true } else { false } }
}
