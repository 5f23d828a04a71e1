import NIOCore
import NIOHTTP1
import NIOPosix

/// The connections of one event loop to one replica.
final class ReplicaPool {
    let endpoint: ReplicaEndpoint
    let loop: UpstreamLoop
    /// The one that was used last is at the end, and is used next: the others may then go.
    private var idle: [ReplicaConnection] = []
    /// False once the replica is no longer among those that serve.
    private(set) var isWanted = true

    init(_ endpoint: ReplicaEndpoint, loop: UpstreamLoop) {
        self.endpoint = endpoint
        self.loop = loop
    }

    /// Sends a request over a connection that is there, or a new one.
    func send(_ request: NetworkRequest) {
        guard let connection = self.idle.popLast() else { return self.connect(for: request) }
        request.stage = .sent(connection)
        connection.send(request)
    }

    private func connect(for request: NetworkRequest) {
        let connection = ReplicaConnection(request, pool: self)
        request.stage = .sent(connection)
        self.open(connection)
    }

    /// Finds out whether a replica that is avoided can be reached again: no request is to wait for that.
    func tryOut(now: NIODeadline) {
        let limit = self.loop.shared.settings.connectTimeout * 2
        guard self.endpoint.beginsTrial(at: now, limit: limit) else { return }
        self.open(ReplicaConnection(nil, pool: self))
    }

    private func open(_ connection: ReplicaConnection) {
        let bound = NIOLoopBound(connection, eventLoop: self.loop.eventLoop)
        let settings = self.loop.shared.settings
        ClientBootstrap(group: self.loop.eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    Self.setSilence(settings.silence, of: channel)
                    let decoder = HTTPResponseDecoder(
                        leftOverBytesStrategy: .dropBytes,
                        informationalResponseStrategy: .forward
                    )
                    try channel.pipeline.syncOperations.addHandlers(
                        RequestWriter(),
                        ByteToMessageHandler(decoder),
                        bound.value
                    )
                }
            }
            .connect(to: self.endpoint.address)
            .assumeIsolated()
            .whenComplete {
                switch $0 {
                case .success: connection.connected()
                case .failure: connection.failedToConnect()
                }
            }
    }

    /// How long the other side may leave unanswered what was sent, or whether it is there: a machine that is gone says nothing.
    static func setSilence(_ time: TimeAmount, of channel: any Channel) {
        #if os(Linux)
        let milliseconds = Int(time.nanoseconds / 1_000_000)
        // Where the kernel does not know one of them it finds out later.
        try? channel.syncOptions?.setOption(.tcpOption(.init(rawValue: Self.userTimeout)), value: milliseconds)
        for (option, seconds) in [(Self.keepIdle, 5), (Self.keepInterval, 1), (Self.keepCount, 3)] {
            try? channel.syncOptions?.setOption(.tcpOption(.init(rawValue: option)), value: seconds)
        }
        #endif
    }

    // tcp(7): TCP_USER_TIMEOUT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
    private static let userTimeout: CInt = 18
    private static let keepIdle: CInt = 4
    private static let keepInterval: CInt = 5
    private static let keepCount: CInt = 6

    // MARK: Idle connections

    func keep(_ connection: ReplicaConnection) { self.idle.append(connection) }

    func forget(_ connection: ReplicaConnection) { self.idle.removeAll { $0 === connection } }

    /// Closes those that nobody has used since.
    func closeIdle(since time: NIODeadline) {
        let old = self.idle.prefix {
            guard case .idle(let since) = $0.state else { return true }
            return since <= time
        }
        self.idle.removeFirst(old.count)
        for connection in old { connection.close() }
    }

    /// The replica serves no more: what is in flight there is answered, and nothing follows.
    func retire() {
        self.isWanted = false
        self.closeIdle(since: .distantFuture)
    }

    var hasIdle: Bool { !self.idle.isEmpty }
}
