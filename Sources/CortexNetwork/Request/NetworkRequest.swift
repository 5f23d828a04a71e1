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
    /// When a replica refused it for the first time.
    var refusedSince: NIODeadline?

    init(_ request: UpstreamRequest, _ responder: UpstreamResponder, now: NIODeadline) {
        self.request = request
        self.responder = responder
        self.arrival = now
        self.stage = .held(since: now)
    }

    /// How long it is left alone before replicas that did not start it are tried again: longer each time, 1.6 s at most.
    var pause: TimeAmount { .milliseconds(50 << Int64(min(max(self.attempts - 1, 0), 5))) }

    var isHeld: Bool { if case .held = self.stage { true } else { false } }
}
