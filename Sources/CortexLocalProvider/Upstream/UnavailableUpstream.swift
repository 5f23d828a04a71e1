import CortexGateway

/// Stands in the route table for an API that is deployed and cannot answer yet: 503 and why, not 404.
struct UnavailableUpstream: Upstream {
    let reason: String

    func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        responder.receive(.failed(.notReady(reason: self.reason), UpstreamTiming()))
    }

    func cancel(_ number: UInt64) {}

    func setFlow(of number: UInt64, isOpen: Bool) {}

    func readiness() async -> UpstreamReadiness { .notReady(reason: self.reason) }
}
