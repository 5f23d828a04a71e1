import NIOCore
import NIOHTTP2

/// One client's HTTP/2 connection: its streams are `ConnectionHandler`s of their own, its end is decided here.
final class HTTP2Connection: ChannelDuplexHandler, ClientConnection {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let loop: LoopContext
    private var context: ChannelHandlerContext?
    private var openStreams: Set<HTTP2StreamID> = []
    /// Of which the end was told before the beginning, which comes next.
    private var endedStreams: Set<HTTP2StreamID> = []
    /// The client has been told that no stream is taken any more.
    private var isLeaving = false
    /// It has had the time to learn that.
    private var isEnding = false
    private var streams: [ObjectIdentifier: ConnectionHandler] = [:]
    /// Streams that were refused since `windowStart`.
    private var refusals = 0
    private var windowStart = NIODeadline.now()

    private init(loop: LoopContext) {
        self.loop = loop
    }

    // MARK: Bounds

    /// Streams that a client may have open at once, which is what it can make this server hold.
    private static let maximumStreams = 100
    /// How often a client may do within `floodWindow` what costs this server more than itself: reset a stream, open one
    /// too many, or send a ping, settings or a priority.
    ///
    /// Some clients send a ping with each reset, and 100 streams may all be given up at once, a few times over.
    private static let floodLimit = 1000
    private static let floodWindow = TimeAmount.seconds(10)
    /// Streams that were reset here, and whose frames on their way are passed over: each client's, a few times over.
    private static let rememberedStreams = 1000
    /// Of a body that is not read yet; those of all streams together.
    private static let streamWindow = 1 << 20
    private static let connectionWindow = 4 << 20
    /// What the codec reads of a head; beyond it the connection ends.
    ///
    /// More than any `CORTEX_MAX_HEAD_SIZE`, so that a head beyond that one is answered, and the other streams go on.
    private static let maximumHeaderList = 2 << 20
    /// Of answers that the client does not read, beyond the small ones; what is more waits in files.
    private static let answerMemory = 8 << 20
    /// How long a client may take to answer the ping that follows `GOAWAY`.
    private static let goodbye = TimeAmount.seconds(1)

    private static let connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration = {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            // Of the codec, which ends the connection beyond it; clients are told less.
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Int(Int32.max)),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HTTP2Connection.maximumHeaderList),
            HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Connection.streamWindow),
        ]
        configuration.targetWindowSize = HTTP2Connection.connectionWindow
        // All pieces that the largest of heads may come in, each as large as a client may make it.
        configuration.maximumSequentialContinuationFrames = HTTP2Connection.maximumHeaderList / (16 << 10)
        // Counted over all streams, and until the end of one.
        configuration.maximumSequentialEmptyDataFrames = HTTP2Connection.maximumStreams
        configuration.maximumRecentlyResetStreams = HTTP2Connection.rememberedStreams
        configuration.controlFrameRateLimit.maximumCount = HTTP2Connection.floodLimit
        configuration.controlFrameRateLimit.windowLength = HTTP2Connection.floodWindow
        // Of a connection's whole life. The rate of the same errors is limited anyway.
        configuration.maximumConnectionGlitches = .max
        return configuration
    }()

    private static let streamConfiguration: NIOHTTP2Handler.StreamConfiguration = {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.streamResetFrameRateLimit.maximumCount = HTTP2Connection.floodLimit
        configuration.streamResetFrameRateLimit.windowLength = HTTP2Connection.floodWindow
        configuration.targetWindowSize = HTTP2Connection.streamWindow
        configuration.outboundBufferSizeHighWatermark = 60 << 10
        configuration.outboundBufferSizeLowWatermark = 32 << 10
        return configuration
    }()

    /// Puts HTTP/2 into the pipeline of a connection.
    ///
    /// Floods of resets (CVE-2023-44487), of pings and settings, of malformed requests, and of empty frames end it.
    static func add(to channel: any Channel, loop: NIOLoopBound<LoopContext>) throws {
        let pipeline = channel.pipeline.syncOperations
        let own = HTTP2Connection(loop: loop.value)
        let streams = NIOLoopBound(own, eventLoop: channel.eventLoop)
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
        try pipeline.addHandlers([ReadGate(), SettingsHandler(announcedStreams: Self.maximumStreams)])
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: Self.connectionConfiguration,
            streamConfiguration: Self.streamConfiguration,
            streamDelegate: StreamCounter(connection: streams, lifetime: lifetime.http2StreamDelegate)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                guard streams.value.takesStream() else {
                    return try stream.pipeline.syncOperations.addHandler(RefusedStreamHandler())
                }
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

    /// Whether one more stream may be open, which is not counted yet.
    private func takesStream() -> Bool {
        guard self.openStreams.count >= Self.maximumStreams else { return true }
        let now = NIODeadline.now()
        if now - self.windowStart > Self.floodWindow {
            self.windowStart = now
            self.refusals = 0
        }
        self.refusals += 1
        if self.refusals > Self.floodLimit { self.endFlood() }
        return false
    }

    private func endFlood() {
        guard let context = self.context else { return }
        let goodbye = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .rootStream, errorCode: .enhanceYourCalm, opaqueData: nil)
        )
        context.writeAndFlush(NIOAny(goodbye), promise: nil)
        context.close(promise: nil)
    }

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

    /// - Returns: Whether it is still open: NIO tells the end first of a stream that its own handlers close at once.
    fileprivate func opened(_ stream: HTTP2StreamID) -> Bool {
        guard self.endedStreams.remove(stream) == nil else { return false }
        self.openStreams.insert(stream)
        return true
    }

    /// - Returns: Whether its beginning was told.
    fileprivate func ended(_ stream: HTTP2StreamID) -> Bool {
        guard self.openStreams.remove(stream) != nil else {
            self.endedStreams.insert(stream)
            return false
        }
        if self.isEnding, self.openStreams.isEmpty { self.closeOnceWritten() }
        return true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one stream, which has ended that stream, is no reason to end the others.
        guard !(error is NIOHTTP2Errors.StreamError) else { return }
        // After its goodbye the last answer ends the connection's state before it is flushed, so NIO fails the window
        // update that comes between. The answer still has to leave; the connection ends by `closeWhenIdle`.
        guard !(error is NIOHTTP2Errors.IOOnClosedConnection) else { return }
        context.close(promise: nil)
    }

    // MARK: ClientConnection

    /// Each stream is one.
    var openRequests: Int { self.openStreams.count }

    func closeWhenIdle() {
        guard let context = self.context else { return }
        // GOAWAY, a ping, and when that is answered the last GOAWAY: no stream that was opened meanwhile is lost.
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    /// Only frames of the whole connection pass here: those of streams have a way of their own.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .goAway = self.unwrapOutboundIn(data).payload, !self.isLeaving { self.beginGoodbye(context) }
        context.write(data, promise: promise)
    }

    /// Whoever has been told to go, and does not say that it knows, has a moment more.
    private func beginGoodbye(_ context: ChannelHandlerContext) {
        self.isLeaving = true
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
        if self.connection.value.opened(id) { self.lifetime.streamCreated(id, channel: channel) }
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        if self.connection.value.ended(id) { self.lifetime.streamClosed(id, channel: channel) }
    }
}
