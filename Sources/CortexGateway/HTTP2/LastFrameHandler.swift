import NIOCore
import NIOHTTP2

/// Puts the end of an answer into its last frame with content, where both are written before a flush.
///
/// The codec ends each answer with a frame of its own, which costs nine bytes, and more: a client that knows the length
/// has all it wants before the end comes, and some (curl) then reset the stream. With many requests such a client looks
/// like a flood of resets.
final class LastFrameHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// Written, and not yet passed on.
    private var held: (frame: HTTP2Frame.FramePayload, promise: EventLoopPromise<Void>?)?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = self.unwrapOutboundIn(data)
        if let held = self.held, Self.isBareEnd(frame), let last = Self.ended(held.frame) {
            self.held = nil
            context.write(self.wrapOutboundOut(last), promise: Self.joined(held.promise, promise))
            return
        }
        self.passOn(context)
        switch frame {
        case .data, .headers: self.held = (frame, promise)
        default: context.write(self.wrapOutboundOut(frame), promise: promise)
        }
    }

    func flush(context: ChannelHandlerContext) {
        self.passOn(context)
        context.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        self.passOn(context)
        context.close(mode: mode, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.held?.promise?.fail(ChannelError.ioOnClosedChannel)
        self.held = nil
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard let held = self.held else { return }
        self.held = nil
        context.write(self.wrapOutboundOut(held.frame), promise: held.promise)
    }

    private static func isBareEnd(_ frame: HTTP2Frame.FramePayload) -> Bool {
        guard case .data(let data) = frame else { return false }
        return data.endStream && data.data.readableBytes == 0
    }

    /// The same frame, as the last one of its stream.
    private static func ended(_ frame: HTTP2Frame.FramePayload) -> HTTP2Frame.FramePayload? {
        switch frame {
        case .data(var data):
            data.endStream = true
            return .data(data)
        case .headers(var headers):
            headers.endStream = true
            return .headers(headers)
        default: return nil
        }
    }

    private static func joined(
        _ first: EventLoopPromise<Void>?,
        _ second: EventLoopPromise<Void>?
    ) -> EventLoopPromise<Void>? {
        guard let first else { return second }
        first.futureResult.cascade(to: second)
        return first
    }
}
