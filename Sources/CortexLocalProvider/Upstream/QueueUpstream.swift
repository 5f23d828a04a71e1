import CortexGateway
import CortexServing
import NIOCore

/// The gateway's upstream on this machine: the admission queue of an API.
///
/// It turns what HTTP brought into what a worker needs, and no more than that: query and headers travel only where the
/// predictor names them. Where several versions serve at once it makes requests for the newest; one that another version
/// takes is made anew for that (`ResponderBridge`).
final class QueueUpstream: Upstream {
    private let queue: AdmissionQueue
    private let arguments: PredictArguments
    private let log: APILog
    private let health: @Sendable () async -> ReplicaHealth?

    /// - Parameters:
    ///   - arguments: What the predictor that serves names of a request.
    ///   - health: What keeps the workers from answering, where they know better than the queue.
    init(
        queue: AdmissionQueue,
        arguments: PredictArguments,
        log: APILog,
        health: @escaping @Sendable () async -> ReplicaHealth?
    ) {
        self.queue = queue
        self.arguments = arguments
        self.log = log
        self.health = health
    }

    func probe(_ responder: UpstreamResponder) {
        self.onQueue { queue in
            responder.receive(queue.refusal().map { .noRoom(UpstreamFailure($0)) } ?? .room)
        }
    }

    func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        let predict = PredictRequest(request, arguments: self.arguments)
        let bridge = ResponderBridge(responder: responder, request: request, log: self.log)
        // Not by `onQueue`, whose closures are memory of their own: this is once for each request.
        guard self.queue.eventLoop.inEventLoop else { return self.onQueue { $0.submit(predict, bridge) } }
        self.queue.assumeIsolated { $0.submit(predict, bridge) }
    }

    func cancel(_ number: UInt64) {
        self.onQueue { $0.cancel(number) }
    }

    func setFlow(of number: UInt64, isOpen: Bool) {
        self.onQueue { $0.setFlow(of: number, isOpen: isOpen) }
    }

    func readiness() async -> UpstreamReadiness {
        switch await self.queue.readiness {
        case .able:
            guard let obstacle = await self.health()?.obstacle else { return .ready }
            return .notReady(reason: obstacle)
        case .noSlots:
            let health = await self.health()
            let reason = health?.obstacle ?? "none of its workers is running"
            return .notReady(reason: reason, retryAfter: health?.nextStart)
        case .doubtful:
            let reason = "its workers run requests that are past the deadline; one that does not come back is replaced"
            return .notReady(reason: reason, retryAfter: .nanoseconds(AdmissionQueue.grace.nanoseconds))
        case .refusing(let reason):
            let health = await self.health()
            let detail = health?.obstacle.map { "; \($0)" } ?? ""
            return .notReady(reason: reason + detail, retryAfter: health?.nextStart)
        case .draining: return .notReady(reason: "this API is shutting down")
        }
    }

    /// Straight in where the queue lives on the caller's event loop, by a hop where it does not.
    private func onQueue(_ body: @escaping @Sendable (isolated AdmissionQueue) -> Void) {
        if self.queue.eventLoop.inEventLoop {
            self.queue.assumeIsolated(body)
        } else {
            self.queue.eventLoop.execute { self.queue.assumeIsolated(body) }
        }
    }
}
