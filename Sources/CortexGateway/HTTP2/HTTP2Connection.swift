import NIOCore
import NIOHTTP2

/// One client's HTTP/2 connection: its streams are `ConnectionHandler`s of their own, its end is decided here.
final class HTTP2Connection: ChannelInboundHandler, ClientConnection {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame

    private let loop: LoopContext
    private var context: ChannelHandlerContext?
    /// Each stream is one.
    private(set) var openRequests = 0
    /// The client has had the time to learn that no stream is taken any more.
    private var isEnding = false
    private var streams: [ObjectIdentifier: ConnectionHandler] = [:]

    private init(loop: LoopContext) {
        self.loop = loop
    }

    // MARK: Bounds

    /// Streams that a client may have open at once, which is what it can make this server hold.
    private static let maximumStreams = 100
    /// Of a body that is not read yet; those of all streams together.
    private static let streamWindow = 1 << 20
    private static let connectionWindow = 4 << 20
    /// What the codec reads of a head; beyond it the connection ends.
    ///
    /// More than any `CORTEX_MAX_HEAD_SIZE`, so that a head beyond that one is answered, and the other streams go on.
    private static let maximumHeaderList = 2 << 20
    /// Of answers that the client does not read, beyond the small ones; what is more waits in files.
    private static let answerMemory = 8 << 20
    /// How long a client may take to answer a ping while the server ends.
    private static let goodbye = TimeAmount.seconds(1)

    /// Puts HTTP/2 into the pipeline of a connection.
    ///
    /// Floods of resets (CVE-2023-44487), of pings and settings, and of empty frames end it: what NIO allows by default, 200
    /// in 30 seconds, is more than any client needs.
    static func add(to channel: any Channel, loop: NIOLoopBound<LoopContext>) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.maximumStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: Self.maximumHeaderList),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.streamWindow),
        ]
        connection.targetWindowSize = Self.connectionWindow
        // All pieces that the largest of heads may come in, each as large as a client may make it.
        connection.maximumSequentialContinuationFrames = Self.maximumHeaderList / (16 << 10)
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = Self.streamWindow
        stream.outboundBufferSizeHighWatermark = 60 << 10
        stream.outboundBufferSizeLowWatermark = 32 << 10
        let pipeline = channel.pipeline.syncOperations
        let own = HTTP2Connection(loop: loop.value)
        let streams = NIOLoopBound(own, eventLoop: channel.eventLoop)
        try pipeline.addHandler(ReadGate())
        let memory = ByteBudget(bytes: Self.answerMemory)
        let lifetime = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: loop.value.configuration.idleTimeout,
                maxAge: nil,
                maxGraceTime: nil,
                keepalive: nil
            )
        )
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: connection,
            streamConfiguration: stream,
            streamDelegate: StreamCounter(connection: streams, lifetime: lifetime.http2StreamDelegate)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let handler = ConnectionHandler(loop: loop.value, transport: .stream, connectionMemory: memory)
                streams.value.add(handler, of: stream)
                try stream.pipeline.syncOperations.addHandlers(
                    LastFrameHandler(),
                    HTTP2FramePayloadToHTTP1ServerCodec(),
                    handler
                )
            }
        }
        try pipeline.addHandlers([own, lifetime])
        // It has been active since before the handshake: those that count its idle time have not seen that.
        own.context?.fireChannelActive()
    }

    // MARK: Life

    private func add(_ handler: ConnectionHandler, of stream: any Channel) {
        let id = ObjectIdentifier(handler)
        self.streams[id] = handler
        stream.closeFuture.assumeIsolated().whenComplete { _ in self.streams[id] = nil }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.loop.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.loop.closed(self)
    }

    fileprivate func streamOpened() { self.openRequests += 1 }

    fileprivate func streamClosed() {
        self.openRequests -= 1
        if self.isEnding, self.openRequests == 0 { self.closeOnceWritten() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one stream, which has ended that stream, is no reason to end the others.
        guard !(error is NIOHTTP2Errors.StreamError) else { return }
        // After its goodbye the last answer ends the connection's state before it is flushed, so NIO fails the window update that
        // comes between. The answer still has to leave; the connection ends by `closeWhenIdle`.
        guard !(error is NIOHTTP2Errors.IOOnClosedConnection) else { return }
        context.close(promise: nil)
    }

    // MARK: ClientConnection

    func closeWhenIdle() {
        guard let context = self.context else { return }
        // GOAWAY, a ping, and when that is answered the last GOAWAY: no stream that was opened meanwhile is lost.
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.goodbye) {
            self.isEnding = true
            if self.openRequests == 0 { self.closeOnceWritten() }
        }
    }

    /// Closes behind the last answer, which ends its stream before it is flushed.
    private func closeOnceWritten() {
        guard let context = self.context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.closeNow() }
        // Out in its turn, so when it is, all before it is too.
        let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(), ack: false))
        context.eventLoop.assumeIsolated().execute {
            context.writeAndFlush(NIOAny(ping), promise: written)
        }
    }

    func cutOff() {
        for stream in self.streams.values { stream.cutOff() }
        self.isEnding = true
    }

    func closeNow() { self.context?.close(promise: nil) }
}

/// Hears of the streams of one connection, for those who close it when there is none.
private struct StreamCounter: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<HTTP2Connection>
    let lifetime: NIOHTTP2ServerConnectionManagementHandler.HTTP2StreamDelegate

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        self.connection.value.streamOpened()
        self.lifetime.streamCreated(id, channel: channel)
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        self.connection.value.streamClosed()
        self.lifetime.streamClosed(id, channel: channel)
    }
}
