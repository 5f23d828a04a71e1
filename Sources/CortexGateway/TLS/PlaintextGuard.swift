import CortexTelemetry
import NIOCore

/// Tells a client that speaks plain HTTP to the TLS port so, in its own language, and closes.
///
/// Stands before TLS, and leaves with the first bytes that are a handshake's.
final class PlaintextGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of a TLS record that carries a handshake (RFC 8446, 5.1).
    private static let handshake: UInt8 = 22

    private let loop: LoopContext
    private var isAnswered = false

    init(loop: LoopContext) {
        self.loop = loop
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isAnswered else { return }
        let bytes = self.unwrapInboundIn(data)
        guard let first = bytes.readableBytesView.first else { return }
        guard first == Self.handshake else { return self.refuse(context) }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext) {
        self.isAnswered = true
        let arrival = NIODeadline.now()
        let id = self.loop.ids.next()
        let error = GatewayError.malformed("this port speaks HTTPS, and the request is not encrypted").response
        let body = error.body(requestID: id, allocator: context.channel.allocator)
        var answer = context.channel.allocator.buffer(capacity: 512)
        let framing = ResponseHead.Framing.length(body.readableBytes)
        let head = ResponseHead(status: error.status, framing: framing, keepAlive: false, isHTTP10: false)
        let date = self.loop.clock.httpDate()
        answer.write(atMost: ResponseHead.most(date: date, requestID: id) + 64) { lines in
            head.write(into: &lines, date: date, requestID: id)
            ResponseHead.write("Content-Type", "application/json", into: &lines)
            lines.writeStaticString("\r\n")
        }
        answer.writeImmutableBuffer(body)
        context.writeAndFlush(self.wrapOutboundOut(answer)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
        let client = context.channel.remoteAddress?.ipAddress ?? "unknown"
        var record = AccessRecord(requestID: id, method: "?", path: "?", client: client)
        record.status = error.status
        record.bytesOut = body.readableBytes
        record.total = .now() - arrival
        record.errorCode = error.code
        self.loop.log(record)
        self.loop.count(nil) { $0.answeredWithoutPredictor(error.status) }
    }
}
