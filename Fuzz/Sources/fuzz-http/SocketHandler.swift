import NIOCore

/// Stands where the socket is: keeps what is written, and when reading is asked for.
final class SocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    private(set) var output = ByteBuffer()
    var wantsRead = false
    private(set) var isClosed = false
    /// Whether the server ended it, or its own half of it.
    private(set) var wasClosed = false
    /// Whether it is the client that ends it now.
    var isLeaving = false
    private var isFlushed = true

    func read(context: ChannelHandlerContext) {
        self.wantsRead = true
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        precondition(!self.wasClosed, "something is written after the end")
        if case .byteBuffer(let bytes) = self.unwrapOutboundIn(data) { self.output.writeImmutableBuffer(bytes) }
        self.isFlushed = false
        promise?.succeed()
    }

    func flush(context: ChannelHandlerContext) {
        self.isFlushed = true
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if self.isLeaving {
            self.isClosed = true
            context.close(mode: mode, promise: promise)
            return
        }
        precondition(self.isFlushed, "an answer is kept back")
        self.wasClosed = true
        if case .output = mode {
            promise?.succeed()
            return
        }
        self.isClosed = true
        context.close(mode: mode, promise: promise)
    }
}
