import CortexTelemetry
import NIOCore

extension ConnectionHandler {
    /// 1 while a request is on its way in, or its answer is not wholly out.
    var openRequests: Int {
        switch self.state {
        case .receiving, .awaiting, .streaming, .leaving: 1
        case .idle, .skipping, .lingering, .closing: 0
        }
    }

    func cutOff() {
        switch self.state {
        case .receiving(let exchange):
            exchange.keepAlive = false
            self.refuse(.draining, exchange)
        case .awaiting(let exchange):
            exchange.route?.upstream.cancel(exchange.number)
            exchange.keepAlive = false
            self.refuse(.cutOff, exchange)
        case .streaming(let exchange):
            // The answer has begun: that its end is missing tells the client.
            exchange.route?.upstream.cancel(exchange.number)
            self.record(exchange, status: exchange.streamStatus, UpstreamTiming(), errorCode: "DRAINING", now: .now())
            exchange.body.release()
            self.state = .closing
            self.context?.close(promise: nil)
        case .leaving(let answer):
            self.end(answer, errorCode: "DRAINING")
            self.context?.close(promise: nil)
        case .idle, .skipping, .lingering, .closing: break
        }
    }

    /// Whether the connection goes on after this request: not once the server is to end, so that a client's next one
    /// goes elsewhere instead of into a connection that is being closed.
    func goesOn(after exchange: Exchange) -> Bool {
        exchange.keepAlive && !self.isClosingWhenIdle && !self.loop.isDraining
    }
}
