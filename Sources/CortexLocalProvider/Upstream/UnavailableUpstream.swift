import CortexGateway

/// Stands in the route table for an API that is deployed and cannot answer yet: 503 and why, not 404.
struct UnavailableUpstream: Upstream {
    let reason: String
    /// Seconds after which to ask again, where nobody can say more exactly.
    let retryAfter: Int
    /// When the next try is made; nil where that is not known.
    var nextStart: ContinuousClock.Instant?

    private var delay: Duration {
        self.nextStart.map { max(.zero, $0 - .now) } ?? .seconds(self.retryAfter - 1)
    }

    /// The same seconds as `/readyz` makes of the delay.
    private var failure: UpstreamFailure {
        .notReady(reason: self.reason, retryAfter: Int(min(self.delay.components.seconds + 1, 60)))
    }

    func probe(_ responder: UpstreamResponder) { responder.receive(.noRoom(self.failure)) }

    func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        responder.receive(.failed(self.failure, UpstreamTiming()))
    }

    func cancel(_ number: UInt64) {}

    func setFlow(of number: UInt64, isOpen: Bool) {}

    func readiness() async -> UpstreamReadiness { .notReady(reason: self.reason, retryAfter: self.delay) }
}
