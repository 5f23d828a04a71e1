package import CortexSpec

/// Stands at the route of a splitter, and knows whether its APIs can answer.
///
/// A request never comes here while those have routes: it becomes a request to one of them as soon as its head is read
/// (`Exchange.beLed`), and is that API's in all that follows: limits, deadline, cancellation, flow.
package struct SplitUpstream: Upstream {
    private let targets: [APIName]
    private let readiness: @Sendable (APIName) async -> UpstreamReadiness

    /// - Parameter readiness: Of an API that the splitter names.
    package init(_ split: TrafficSplit, readiness: @escaping @Sendable (APIName) async -> UpstreamReadiness) {
        self.targets = split.targets
        self.readiness = readiness
    }

    private var failure: UpstreamFailure {
        .notReady(reason: "the API that this request was to go to is being taken away", retryAfter: 1)
    }

    package func probe(_ responder: UpstreamResponder) { responder.receive(.noRoom(self.failure)) }

    package func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        responder.receive(.failed(self.failure, UpstreamTiming()))
    }

    package func cancel(_ number: UInt64) {}

    package func setFlow(of number: UInt64, isOpen: Bool) {}

    /// Able once all are that requests go to: whichever of them is not fails its share.
    package func readiness() async -> UpstreamReadiness {
        var reasons: [String] = []
        var longest: Duration?
        for target in self.targets {
            guard case .notReady(let reason, let delay) = await self.readiness(target) else { continue }
            reasons.append("\(target): \(reason)")
            if let delay { longest = max(longest ?? .zero, delay) }
        }
        return reasons.isEmpty ? .ready : .notReady(reason: reasons.joined(separator: "; "), retryAfter: longest)
    }
}
