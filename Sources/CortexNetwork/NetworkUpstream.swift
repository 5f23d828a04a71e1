package import CortexGateway
package import CortexSpec
package import NIOCore
import Synchronization

/// What is wanted of an API's replicas at a moment.
package struct UpstreamStanding: Hashable, Sendable {
    /// No replica is there since none is wanted, or the first is on its way: requests wait for it.
    package var isAsleep: Bool
    /// Requests that a replica bears.
    package var replicaLimit: Int
    /// Why no replica is ready, where that is known.
    package var obstacle: String?

    package init(isAsleep: Bool = false, replicaLimit: Int = 1024, obstacle: String? = nil) {
        self.isAsleep = isAsleep
        self.replicaLimit = replicaLimit
        self.obstacle = obstacle
    }
}

/// The gateway's upstream in a cluster: the replicas of one API, across the network.
///
/// Each event loop has connections of its own, so that a request never changes threads; how much each replica has is counted
/// over all of them. A request goes to another replica only where it was not started: see ``ReplicaProtocol``.
package final class NetworkUpstream: Upstream {
    private let shared: UpstreamShared
    private let loops: [NIOLoopBound<UpstreamLoop>]
    private let known = Mutex(Known())

    private struct Known {
        var replicas: [ReplicaEndpoint] = []
        var standing = UpstreamStanding()
    }

    /// - Parameters:
    ///   - eventLoops: Those of the gateway.
    ///   - onWaiting: Called when a request waits for a replica and none did before.
    package init(
        api: APIName,
        eventLoops: any EventLoopGroup,
        settings: NetworkSettings = NetworkSettings(),
        onWaiting: @escaping @Sendable () -> Void = {}
    ) async throws {
        let shared = UpstreamShared(api: api, settings: settings, onWaiting: onWaiting)
        var loops: [NIOLoopBound<UpstreamLoop>] = []
        for eventLoop in eventLoops.makeIterator() {
            loops.append(
                try await eventLoop.submit {
                    NIOLoopBound(UpstreamLoop(eventLoop: eventLoop, shared: shared), eventLoop: eventLoop)
                }.get()
            )
        }
        self.shared = shared
        self.loops = loops
    }

    // MARK: What is known of the replicas

    /// The replicas that serve from now on; those that are not among them get nothing new.
    package func set(replicas addresses: [SocketAddress]) {
        let replicas = self.known.withLock { known -> [ReplicaEndpoint] in
            // What is known of one stays with it.
            let old = Dictionary(known.replicas.map { ($0.address, $0) }) { first, _ in first }
            var seen: Set<SocketAddress> = []
            known.replicas = addresses.filter { seen.insert($0).inserted }
                .map { old[$0] ?? ReplicaEndpoint(address: $0) }
            return known.replicas
        }
        self.onEachLoop { $0.set(replicas) }
    }

    package func set(_ standing: UpstreamStanding) {
        self.known.withLock { $0.standing = standing }
        self.onEachLoop { $0.set(standing) }
    }

    /// The API is no more: what is in flight is answered, what waits is refused.
    package func close() {
        self.onEachLoop { $0.close() }
    }

    // MARK: Seen from outside

    /// Requests that have come and are not answered, and those of them that wait for a replica.
    package var load: (inFlight: Int, waiting: Int, received: UInt64) {
        (self.shared.inFlight, self.shared.waiting, self.shared.received)
    }

    /// How often a request came back from a replica where it was not started.
    package var retries: UInt64 { self.shared.retries }

    /// How many replicas serve.
    package var replicaCount: Int { self.known.withLock { $0.replicas.count } }

    /// One of them.
    package var anyReplica: SocketAddress? { self.known.withLock { $0.replicas.randomElement()?.address } }

    package func readiness() async -> UpstreamReadiness {
        let known = self.known.withLock { $0 }
        if !known.replicas.isEmpty || known.standing.isAsleep { return .ready }
        return .notReady(reason: known.standing.obstacle ?? "none of its replicas is ready", retryAfter: .seconds(5))
    }

    // MARK: Requests

    package func probe(_ responder: UpstreamResponder) {
        self.onOwnLoop { responder.receive($0.refusal(now: .now()).map { .noRoom($0) } ?? .room) }
    }

    package func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        // Not by `onOwnLoop`, whose closures are memory of their own: this is once for each request.
        guard let loop = self.ownLoop else { return self.onOwnLoop { $0.submit(request, responder) } }
        loop.value.submit(request, responder)
    }

    package func cancel(_ number: UInt64) {
        self.find { $0.cancel(number) }
    }

    package func setFlow(of number: UInt64, isOpen: Bool) {
        self.find { $0.setFlow(of: number, isOpen: isOpen) }
    }

    // MARK: Loops

    private var ownLoop: NIOLoopBound<UpstreamLoop>? { self.loops.first { $0.eventLoop.inEventLoop } }

    /// The gateway calls on the loop of the connection, which is one of these.
    private func onOwnLoop(_ body: @escaping @Sendable (UpstreamLoop) -> Void) {
        if let loop = self.ownLoop {
            body(loop.value)
        } else if let loop = self.loops.first {
            loop.eventLoop.execute { body(loop.value) }
        }
    }

    /// On the loop that has the request, which is nearly always the caller's.
    private func find(_ body: @escaping @Sendable (UpstreamLoop) -> Bool) {
        if let loop = self.ownLoop, body(loop.value) { return }
        for loop in self.loops where !loop.eventLoop.inEventLoop {
            loop.eventLoop.execute { _ = body(loop.value) }
        }
    }

    private func onEachLoop(_ body: @escaping @Sendable (UpstreamLoop) -> Void) {
        for loop in self.loops { loop.eventLoop.execute { body(loop.value) } }
    }
}
