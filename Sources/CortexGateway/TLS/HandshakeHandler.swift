import CortexTelemetry
import NIOCore
import NIOTLS

/// Waits for the handshake of a connection, not too long, and puts in place what speaks the protocol that was agreed on.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler, ClientConnection {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let loop: LoopContext
    /// Called on the event loop once TLS stands.
    private let configure: (any Channel, _ isHTTP2: Bool) throws -> Void
    private var context: ChannelHandlerContext?
    private var timeout: Scheduled<Void>?
    private let arrival = NIODeadline.now()

    init(loop: LoopContext, configure: @escaping (any Channel, _ isHTTP2: Bool) throws -> Void) {
        self.loop = loop
        self.configure = configure
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.loop.opened(self)
        self.startTimer(on: context.eventLoop, isAgain: false)
    }

    private func startTimer(on eventLoop: any EventLoop, isAgain: Bool) {
        let time = self.loop.configuration.headerTimeout
        let end = NIODeadline.now() + time
        self.timeout = eventLoop.assumeIsolated().scheduleTask(deadline: end) {
            if !isAgain, ConnectionTimer.isLate(time, until: end) {
                self.startTimer(on: eventLoop, isAgain: true)
            } else {
                self.timedOut()
            }
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        let places = self.loop.places
        let admission = places.enter(context.channel)
        context.channel.closeFuture.whenComplete { _ in places.leave() }
        // What would say why takes a handshake, which costs more than all that is refused.
        guard case .admitted = admission else { return context.close(promise: nil) }
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timeout?.cancel()
        self.context = nil
        self.loop.closed(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let agreed)? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            try self.configure(context.channel, agreed == "h2")
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// There is nobody to be answered, but somebody may wonder why.
    private func timedOut() {
        let client = self.context?.channel.remoteAddress?.ipAddress ?? "unknown"
        var record = AccessRecord(requestID: self.loop.ids.next(), method: "?", path: "?", client: client)
        record.status = 408
        record.total = .now() - self.arrival
        record.errorCode = "HANDSHAKE_TIMEOUT"
        self.loop.log(record)
        self.closeNow()
    }

    // MARK: ClientConnection

    var openRequests: Int { 0 }

    func closeWhenIdle() { self.closeNow() }

    func cutOff() { self.closeNow() }

    func closeNow() { self.context?.close(promise: nil) }
}
