import CortexTelemetry
import DequeModule
import NIOCore
import NIOHTTP1
import NIOPosix

/// One client's connection: requests in, one at a time; answers out, in order.
///
/// While a request is with its upstream the socket is still read, so that a client that leaves is noticed. Requests that are
/// sent ahead wait here, and nothing more is read while any do. A client that only closes its own side of the connection
/// is answered.
final class ConnectionHandler: ChannelDuplexHandler, ClientConnection {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = IOData

    let loop: LoopContext
    var state = ConnectionState.idle
    var context: ChannelHandlerContext?
    private var backlog = Deque<HTTPServerRequestPart>()
    private var isReadPending = false
    /// Nothing is read until what was read is on disk, or inflated.
    var isWritingBody = false
    var stoppedReading = NIODeadline.distantPast
    private(set) var client = "unknown"
    private(set) var isClosingWhenIdle = false
    var timer = ConnectionTimer()
    /// A request began or ended with the bytes at hand.
    private var sawBoundary = false
    /// The client has said that it sends nothing more.
    private(set) var isInputClosed = false
    /// What was not yet written when a slow reader was last looked at; nil where none is.
    var undrained: Int?

    /// More was written than its reader takes at once.
    private(set) var isReaderBehind = false

    /// Of a stream: bytes of its answer that were written and have not left.
    var unflushed = 0
    /// Of a stream: what its connection may hold of answers.
    let connectionMemory: ByteBudget?

    let transport: Transport
    let isOfWorker: Bool
    /// Of a stream: the client has sent all of its request.
    private(set) var isRequestWhole = false

    /// Nil where no parser of HTTP/1 wants to know what it makes of its bytes.
    private let framing: BodyFraming?

    init(
        loop: LoopContext,
        transport: Transport = .plain,
        framing: BodyFraming? = nil,
        connectionMemory: ByteBudget? = nil,
        isOfWorker: Bool = false
    ) {
        self.loop = loop
        self.connectionMemory = connectionMemory
        self.transport = transport
        self.isOfWorker = isOfWorker
        self.framing = framing
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.client = context.channel.remoteAddress?.ipAddress ?? "unknown"
        // A stream ends with its connection, which is the one that is known to its loop.
        guard self.transport != .stream else { return }
        self.loop.opened(self)
        self.await(.idle)
    }

    func channelActive(context: ChannelHandlerContext) {
        // Over TLS the connection had its place before its handshake.
        guard self.transport == .plain else { return context.fireChannelActive() }
        switch self.loop.places.enter(context.channel) {
        case .admitted: break
        case .refused(let error): self.refuse(error, self.makeNamelessExchange())
        case .dropped: context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer.cancel()
        if self.transport == .plain { self.loop.places.leave() }
        self.backlog.removeAll()
        self.clientLeft()
        if self.transport != .stream { self.loop.closed(self) }
        context.fireChannelInactive()
    }

    private func clientLeft() {
        let state = self.state
        // Its answer says itself what became of it: a stream is closed before all of it has left.
        if case .leaving = state { return }
        self.state = .closing
        switch state {
        case .receiving(let exchange): self.recordCancelled(exchange, stage: "receiving")
        case .awaiting(let exchange):
            exchange.route?.upstream.cancel(exchange.number)
            self.recordCancelled(exchange, stage: "waiting")
        case .streaming(let exchange):
            exchange.route?.upstream.cancel(exchange.number)
            self.recordCancelled(exchange, stage: "streaming")
        case .leaving, .idle, .skipping, .lingering, .closing: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { self.inputEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    /// Nothing more comes.
    ///
    /// Most clients of which that is true are gone, but some wait for their answer (`nc -N`), and the two look alike until
    /// something is sent. So an interim answer is, which a client that listens reads past (RFC 9110, 15.2), and which has
    /// the connection of one that is gone reset.
    private func inputEnded() {
        self.isInputClosed = true
        switch self.state {
        case .awaiting(let exchange) where !exchange.isHTTP10:
            self.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        case .idle, .skipping: self.closeGently()
        // HTTP/1.0 has no interim answers, and none can be sent amid another.
        case .receiving, .awaiting, .streaming: self.context?.close(promise: nil)
        case .leaving, .lingering, .closing: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let known = error as? GatewayError ?? (error as? HTTPParserError).map { RequestDecoder.explanation(of: $0) }
        guard let known else {
            // Further bytes behind those that were told of: they are read past.
            if !(error is ByteToMessageDecoderError) { context.close(promise: nil) }
            return
        }
        switch self.state {
        case .idle: self.refuse(known, self.makeNamelessExchange())
        // Nothing more of the body comes: its client has left, which is told next.
        case .receiving where error as? HTTPParserError == .invalidEOFState: break
        case .receiving(let exchange):
            exchange.keepAlive = false
            self.refuse(known, exchange)
        // What was understood is answered, and no more.
        case .awaiting(let exchange):
            exchange.keepAlive = false
        case .streaming, .leaving: self.isClosingWhenIdle = true
        // It has its answer already.
        case .skipping: self.closeGently()
        case .lingering, .closing: break
        }
    }

    /// Ends the connection after what is in flight.
    func closeWhenIdle() {
        self.isClosingWhenIdle = true
        switch self.state {
        case .idle where self.backlog.isEmpty: self.context?.close(promise: nil)
        case .skipping: self.closeGently()
        default: break
        }
    }

    func closeNow() { self.context?.close(promise: nil) }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if self.backlog.isEmpty, !self.isWritingBody {
            context.read()
        } else {
            self.isReadPending = true
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = self.unwrapInboundIn(data)
        self.framing?.saw(part)
        if self.isBusy || !self.backlog.isEmpty {
            self.backlog.append(part)
        } else {
            self.take(part)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch self.state {
        // Bytes came, but no whole head: the client has begun a request.
        case .idle where !self.sawBoundary: self.timer.begin(.head, within: self.loop.configuration.headerTimeout, self)
        case .receiving, .skipping: self.bodyPieceCame()
        default: break
        }
        self.sawBoundary = false
        context.fireChannelReadComplete()
    }

    /// Whether the part at hand belongs to a later request, or has to wait for the disk.
    private var isBusy: Bool {
        switch self.state {
        case .awaiting, .streaming, .leaving: true
        case .idle, .receiving, .skipping: self.isWritingBody
        case .lingering, .closing: false
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head):
            guard case .idle = self.state else { return }
            self.sawBoundary = true
            self.begin(self.transport == .stream ? Self.asHTTP1(head) : head)
        case .body(let bytes):
            switch self.state {
            case .receiving(let exchange): self.collect(bytes, exchange)
            case .skipping(let exchange): if !exchange.body.skip(bytes) { self.closeGently() }
            default: break  // lingering or closing: read past
            }
        case .end:
            switch self.state {
            case .receiving(let exchange):
                self.isRequestWhole = true
                self.sawBoundary = true
                self.complete(exchange)
            case .skipping:
                self.sawBoundary = true
                self.goOn()
            default: break
            }
        }
    }

    func resumeReading() {
        while !self.isBusy, let part = self.backlog.popFirst() { self.take(part) }
        if self.backlog.isEmpty, self.isReadPending, !self.isWritingBody {
            self.isReadPending = false
            self.context?.read()
        }
        if self.isInputClosed, case .idle = self.state { self.closeGently() }
    }

    // MARK: A request

    private func begin(_ head: HTTPRequestHead) {
        let exchange = self.makeExchange(head)
        exchange.target = self.loop.routes.target(
            path: exchange.path,
            host: exchange.first(exchange.known.host).map { $0[...] },
            isChained: exchange.known.hops.isThere
        )
        exchange.routeChanges = self.loop.routeChanges
        exchange.isOnStream = self.transport == .stream
        exchange.isFromGateway =
            exchange.known.isFromGateway && self.transport == .plain && self.loop.configuration.replicaName != nil
        exchange.body.announced = exchange.known.announcedLength
        var expectation = RequestCheck.expectation(of: exchange)
        var problem = RequestCheck.problem(with: exchange, self.loop)
        if self.transport == .stream { problem = problem ?? self.streamProblem(with: exchange) }
        if case .unknown(let text) = expectation {
            problem = problem ?? .expectationFailed(text)
            expectation = .none
        }
        if let problem {
            return self.refuseEarly(problem, exchange, awaitsContinue: expectation.isPermission)
        } else if expectation.isPermission {
            // The body is asked for only where it would be taken.
            exchange.wasProbed = true
            exchange.awaitsContinue = true
            self.state = .receiving(exchange)
            self.probe(exchange)
            return
        }
        self.state = .receiving(exchange)
    }

    private func complete(_ exchange: Exchange) {
        if let error = exchange.early {
            self.refuse(error, exchange)
            return
        }
        do throws(GatewayError) {
            try exchange.body.finish()
        } catch {
            self.refuse(error, exchange)
            return
        }
        switch exchange.target {
        case .api(let route) where exchange.head.method == .POST: self.send(exchange, to: route)
        default: self.answerLocally(exchange)
        }
    }

    private func send(_ exchange: Exchange, to known: Route) {
        let route = self.currentRoute(of: exchange, known)
        exchange.target = .api(route)
        self.state = .awaiting(exchange)
        let request = UpstreamRequest(
            number: exchange.number,
            id: exchange.id,
            headers: exchange.decodedHeaders,
            contentType: exchange.first(exchange.known.contentType),
            query: String(exchange.query),
            body: exchange.body.body,
            deadline: exchange.deadline,
            apiDeadline: exchange.apiDeadline,
            hops: UInt16(exchange.hops),
            isTraced: exchange.isTraced,
            tellsStart: exchange.isFromGateway
        )
        let copy = exchange.splitter.flatMap { ShadowCopy.take(request, ledBy: $0, self.loop) }
        route.upstream.send(request, to: self.responder(exchange))
        copy?.send()
    }

    /// While the body came in, a newer version may have taken over, and the one known then may drain by now.
    private func currentRoute(of exchange: Exchange, _ known: Route) -> Route {
        guard exchange.routeChanges != self.loop.routeChanges else { return known }
        let routes = self.loop.routes
        if let route = routes.route(of: known.api) { return route }
        // The API is gone, which it can be only once its splitter leads elsewhere.
        let splitter = exchange.splitter.flatMap { routes.route(of: $0.api) }
        return splitter?.split?.takeTurn().flatMap { routes.route(of: $0) } ?? known
    }

    func responder(_ exchange: Exchange) -> UpstreamResponder {
        UpstreamResponder(self, number: exchange.number, on: self.loop.eventLoop)
    }

    /// The exchange is answered whole; the connection goes on, or ends.
    func finished(_ exchange: Exchange) {
        exchange.body.release()
        guard self.transport != .stream else { return self.leaveStream(exchange) }
        guard self.goesOn(after: exchange) else {
            self.state = .closing
            self.closeGently()
            return
        }
        guard exchange.skipsBody, !self.isInputClosed else { return self.goOn() }
        self.undrained = nil
        self.state = .skipping(exchange)
        self.await(.body)
    }

    /// A request is over: the next one may come.
    private func goOn() {
        guard !self.isClosingWhenIdle else {
            self.state = .closing
            self.closeGently()
            return
        }
        self.state = .idle
        self.undrained = nil
        self.await(.idle)
        self.resumeReading()
    }

    func forgetBacklog() {
        self.backlog.removeAll()
    }

    /// Takes up a read that was held back, whatever the state.
    func readOn() {
        guard self.isReadPending else { return }
        self.isReadPending = false
        self.context?.read()
    }

    // MARK: Writing

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.isReaderBehind = !context.channel.isWritable
        if case .streaming(let exchange) = self.state {
            exchange.route?.upstream.setFlow(of: exchange.number, isOpen: !self.isReaderBehind)
            if self.isReaderBehind { self.watchReader(of: exchange) }
        }
        context.fireChannelWritabilityChanged()
    }

    func write(_ buffer: ByteBuffer) {
        self.context?.writeAndFlush(self.wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }
}
