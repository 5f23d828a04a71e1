import NIOCore
import NIOHTTP1

/// How a body comes in, by pieces that may have to wait for the disk or for what inflates them.
extension ConnectionHandler {
    func collect(_ bytes: ByteBuffer, _ exchange: Exchange) {
        if let early = exchange.early {
            if !exchange.body.skip(bytes) {
                exchange.keepAlive = false
                self.refuse(early, exchange)
            }
            return
        }
        do throws(GatewayError) {
            switch try exchange.body.append(bytes, on: self.loop.eventLoop) {
            case .more: break
            case .writing(let written):
                self.stopReading()
                written.assumeIsolated().whenComplete { self.bodyWritten($0) }
            case .inflating(let inflated):
                self.stopReading()
                let number = exchange.number
                inflated.assumeIsolated().whenComplete { self.bodyInflated($0, of: number, exchange.body) }
            }
        } catch {
            exchange.keepAlive = false
            self.refuse(error, exchange)
        }
    }

    private func stopReading() {
        self.isWritingBody = true
        self.stoppedReading = .now()
    }

    /// - Parameter collector: Lets go of what came for a request that is gone by now.
    private func bodyInflated(
        _ result: Result<CollectedBody, any Error>,
        of number: UInt64,
        _ collector: BodyCollector
    ) {
        guard case .receiving(let exchange) = self.state, exchange.number == number else {
            if case .success(let body) = result { collector.discard(body) }
            self.isWritingBody = false
            self.resumeReading()
            return
        }
        switch result {
        case .success(let body):
            exchange.body.resume(body)
            self.bodyWritten(.success(()))
        case .failure(let error):
            self.isWritingBody = false
            exchange.keepAlive = false
            self.refuse(error as? GatewayError ?? .spoolBroken, exchange)
            self.resumeReading()
        }
    }

    private func bodyWritten(_ result: Result<Void, any Error>) {
        self.isWritingBody = false
        if case .receiving(let exchange) = self.state {
            exchange.body.stoodStill(for: .now() - self.stoppedReading)
        }
        if case .failure = result, case .receiving(let exchange) = self.state {
            exchange.keepAlive = false
            self.refuse(.spoolBroken, exchange)
        } else if case .receiving(let exchange) = self.state, !exchange.wasProbed {
            exchange.wasProbed = true
            self.probe(exchange)
        }
        self.resumeReading()
        // Not when the piece came: it was not known then how long it would take to put away.
        self.bodyPieceCame()
    }

    /// Asks whether there is room, before a large body is sent for nothing; the answer comes to `receive`.
    func probe(_ exchange: Exchange) {
        guard let route = exchange.route, exchange.head.method == .POST else { return self.hasRoom(exchange) }
        route.upstream.probe(self.responder(exchange))
    }

    /// A body that is waited for is welcome.
    func hasRoom(_ exchange: Exchange) {
        guard exchange.awaitsContinue else { return }
        exchange.awaitsContinue = false
        guard self.transport != .stream else { return self.continueOnStream() }
        self.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
    }

    func hasNoRoom(_ failure: UpstreamFailure, _ exchange: Exchange) {
        guard let route = exchange.route else { return }
        exchange.keepAlive = false
        self.refuse(.upstream(route.api, failure), exchange)
    }
}
