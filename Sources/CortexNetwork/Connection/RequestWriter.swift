import NIOCore
import NIOHTTP1

/// Passes on what is bytes already: heads of requests are there for the decoder of the answers to count, and go no further.
final class RequestWriter: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = IOData

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch self.unwrapOutboundIn(data) {
        case .head: promise?.succeed()
        case .body(let bytes): context.write(self.wrapOutboundOut(bytes), promise: promise)
        // Nothing, in its turn.
        case .end: context.write(self.wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: promise)
        }
    }
}
