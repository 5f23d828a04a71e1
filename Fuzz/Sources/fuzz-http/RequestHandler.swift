import NIOCore
import NIOHTTP1

/// Numbers the requests as the decoder has them, by way of `X-Request-ID`, which answers repeat.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private(set) var methods: [HTTPMethod] = []
    /// Requests of which the end has come.
    private(set) var whole = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(var head):
            head.headers.replaceOrAdd(name: "x-request-id", value: "\(self.methods.count)")
            self.methods.append(head.method)
            context.fireChannelRead(self.wrapInboundOut(.head(head)))
        case .end:
            self.whole += 1
            context.fireChannelRead(data)
        case .body: context.fireChannelRead(data)
        }
    }
}
