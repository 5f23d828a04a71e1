import CortexGateway
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// One connection to a replica: one request at a time, then the next, or nothing for a while.
final class ReplicaConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    enum State {
        /// Next: `sent`, `idle` (where there is no request, or it has left meanwhile), `closed`.
        case connecting(NetworkRequest?)
        case idle(since: NIODeadline)
        /// The request is written, or the part of it that the replica has asked for. Next: `started`, `answering`.
        case sent(NetworkRequest)
        /// A worker has it. Next: `answering`.
        case started(NetworkRequest)
        /// Next: `idle`, `closed`.
        case answering(NetworkRequest, ReplicaAnswer)
        case closed
    }

    private(set) var state: State
    let pool: ReplicaPool
    private var context: ChannelHandlerContext?
    /// It has brought an answer before: that it breaks may mean no more than that nobody used it for long.
    private(set) var wasUsed = false
    private var isBodyOut = false
    /// Of a large body, which goes out when the replica says so.
    private var awaitsPermission = false
    private var isPatient = false
    /// Nobody answers at the other end, not even a kernel.
    private var isUnreachable = false

    /// - Parameter request: Nil where it is to be known whether the replica can be reached.
    init(_ request: NetworkRequest?, pool: ReplicaPool) {
        self.state = .connecting(request)
        self.pool = pool
    }

    private var loop: UpstreamLoop { self.pool.loop }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// The connection is there.
    func connected() {
        self.pool.endpoint.wasReached()
        guard case .connecting(let request) = self.state else { return self.close() }
        if let request {
            self.send(request)
        } else {
            self.rest()
        }
    }

    func failedToConnect() {
        guard case .connecting(let request) = self.state else { return }
        self.state = .closed
        if let request {
            self.loop.wasNotStarted(request, on: self, isReplicaGone: true)
        } else {
            self.pool.endpoint.wasNotReached(at: .now())
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let code = (error as? IOError)?.errnoCode { self.isUnreachable = Self.unreachable.contains(code) }
        self.ended()
        context.close(promise: nil)
    }

    private static let unreachable: Set<CInt> = [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH]

    /// Nothing more comes.
    private func ended() {
        let state = self.state
        self.state = .closed
        switch state {
        case .idle: self.pool.forget(self)
        case .connecting(let request?), .sent(let request):
            // One that was idle too long is closed by either side at any time: that says nothing of the replica.
            let isReplicaGone = !self.wasUsed || self.isUnreachable
            self.loop.wasNotStarted(request, on: self, isReplicaGone: isReplicaGone)
        case .started(let request): self.loop.wasLost(request, on: self)
        case .answering(let request, let answer): self.loop.broke(request, answer, on: self)
        case .connecting(nil), .closed: break
        }
    }

    /// Ends the connection; whatever it was at is of no more interest.
    func close() {
        self.state = .closed
        self.context?.close(promise: nil)
    }

    /// The request is given up: by its client, or since its time is over.
    func abandon() {
        switch self.state {
        case .connecting(nil), .idle, .closed: return
        case .connecting: self.state = .connecting(nil)
        case .sent, .started, .answering: self.close()
        }
        self.pool.endpoint.leave()
    }

    private func rest() {
        guard self.pool.isWanted else { return self.close() }
        let now = NIODeadline.now()
        self.state = .idle(since: now)
        self.pool.keep(self)
        self.loop.noteIdle(now: now)
    }

    // MARK: A request

    func send(_ request: NetworkRequest) {
        guard let context = self.context else {
            self.state = .closed
            return self.loop.wasNotStarted(request, on: self, isReplicaGone: false)
        }
        self.state = .sent(request)
        self.isBodyOut = false
        // For the decoder, which counts requests.
        context.write(self.wrapOutboundOut(.head(Self.anyHead)), promise: nil)
        let body = request.request.body
        let isSmall = if case .bytes = body { body.size <= Self.mostCopied } else { false }
        var head = GatewayHeaders.head(
            of: request.request,
            host: self.loop.shared.host,
            now: .now(),
            room: isSmall ? body.size : 0
        )
        if isSmall, case .bytes(let bytes) = body {
            // One piece of memory, one call of the system.
            head.writeImmutableBuffer(bytes)
            self.setPatience(false)
            context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(head))), promise: self.bodyOut(context))
            return
        }
        context.write(self.wrapOutboundOut(.body(.byteBuffer(head))), promise: nil)
        if case .spooled = body {
            self.awaitsPermission = true
            context.flush()
        } else {
            self.sendBody(of: request)
        }
    }

    /// Of requests, as far as the decoder of their answers has to know it.
    private static let anyHead = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/predict")
    /// Bytes of a body that are copied behind the head.
    private static let mostCopied = 16 << 10

    private func bodyOut(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { self.isBodyOut = true }
        return written
    }

    private func sendBody(of request: NetworkRequest) {
        guard let context = self.context else { return }
        self.awaitsPermission = false
        self.setPatience(request.request.body.size > Self.window)
        switch request.request.body {
        case .bytes(let bytes):
            if bytes.readableBytes > 0 { context.write(self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
        case .pieces(let pieces):
            for piece in pieces { context.write(self.wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil) }
        case .spooled(let path, let size):
            guard self.sendFile(path, size: size) else { return self.close(failing: request) }
        }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: self.bodyOut(context))
    }

    /// The kernel copies it; nothing of it is in this process.
    private func sendFile(_ path: String, size: Int) -> Bool {
        guard let context = self.context, let handle = try? NIOFileHandle(_deprecatedPath: path) else { return false }
        let region = FileRegion(fileHandle: handle, readerIndex: 0, endIndex: size)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in try? handle.close() }
        context.write(self.wrapOutboundOut(.body(.fileRegion(region))), promise: sent)
        return true
    }

    /// The body cannot be read any more.
    private func close(failing request: NetworkRequest) {
        self.close()
        self.loop.wasNotStarted(request, on: self, isReplicaGone: false)
    }

    /// What a kernel takes in without anybody reading it: more may stand still as long as the replica is busy.
    private static let window = 64 << 10

    private func setPatience(_ isPatient: Bool) {
        guard isPatient != self.isPatient, let context = self.context else { return }
        self.isPatient = isPatient
        let silence = isPatient ? TimeAmount.seconds(60) : self.loop.shared.settings.silence
        ReplicaPool.setSilence(silence, of: context.channel)
    }

    // MARK: Its answer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = self.unwrapInboundIn(data)
        switch self.state {
        case .sent(let request): self.receive(part, of: request)
        case .started: if case .head(let head) = part, head.status.code >= 200 { self.begin(head) }
        case .answering(let request, let answer):
            switch part {
            case .head: break
            case .body(let bytes): self.take(bytes, request, answer)
            case .end: self.finish(request, answer)
            }
        case .idle:
            // Nothing was asked.
            self.pool.forget(self)
            self.close()
        case .connecting, .closed: break
        }
    }

    /// Before it is known to have started.
    private func receive(_ part: HTTPClientResponsePart, of request: NetworkRequest) {
        guard case .head(let head) = part else { return }
        switch head.status {
        case .continue: if self.awaitsPermission { self.sendBody(of: request) }
        case .processing: self.state = .started(request)
        default: if head.status.code >= 200 { self.begin(head) }
        }
    }

    private func begin(_ head: HTTPResponseHead) {
        let request: NetworkRequest
        let isStarted: Bool
        switch self.state {
        case .sent(let current): (request, isStarted) = (current, false)
        case .started(let current): (request, isStarted) = (current, true)
        default: return
        }
        let answer = ReplicaAnswer(
            head,
            isStarted: isStarted,
            elapsed: .now() - request.arrival,
            wholeLimit: self.loop.shared.settings.wholeAnswer
        )
        self.state = .answering(request, answer)
        if !answer.isWhole { self.loop.begins(request, answer) }
    }

    private func take(_ bytes: ByteBuffer, _ request: NetworkRequest, _ answer: ReplicaAnswer) {
        guard answer.isWhole else { return request.responder.receive(.chunk(bytes)) }
        guard answer.gather(bytes) else {
            // More than was announced, or an error that is no end of.
            self.close()
            return self.loop.broke(request, answer, on: self)
        }
    }

    private func finish(_ request: NetworkRequest, _ answer: ReplicaAnswer) {
        self.wasUsed = true
        if answer.isKeptAlive, self.isBodyOut {
            self.setFlow(isOpen: true)
            self.rest()
        } else {
            self.close()
        }
        self.loop.ended(request, answer, on: self)
    }

    /// Holds the answer back in the replica, or lets it come.
    func setFlow(isOpen: Bool) {
        try? self.context?.channel.syncOptions?.setOption(.autoRead, value: isOpen)
    }
}
