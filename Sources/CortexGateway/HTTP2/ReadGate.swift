import NIOCore

/// Reads nothing from a client that does not read: else each request of an HTTP/2 connection would add its answer to those
/// that the socket does not take.
final class ReadGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var isReadPending = false

    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            context.read()
        } else {
            self.isReadPending = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if self.isReadPending, context.channel.isWritable {
            self.isReadPending = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }
}
