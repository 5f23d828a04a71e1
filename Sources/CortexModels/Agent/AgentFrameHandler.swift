import CortexWire
import NIOCore

/// Turns the bytes of the agent's connection into frames, and frames into bytes.
final class AgentFrameHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Frame
    typealias OutboundIn = Frame
    typealias OutboundOut = ByteBuffer

    private var decoder = FrameDecoder()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        do {
            while let frame = try self.decoder.next() { context.fireChannelRead(self.wrapInboundOut(frame)) }
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = self.unwrapOutboundIn(data)
        var buffer = context.channel.allocator.buffer(capacity: Frame.headLength + frame.body.readableBytes)
        frame.write(into: &buffer)
        context.write(self.wrapOutboundOut(buffer), promise: promise)
    }
}
