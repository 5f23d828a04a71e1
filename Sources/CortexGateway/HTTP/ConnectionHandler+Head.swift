import NIOCore
import NIOHTTP1

/// What is made of the head of a request, before its body comes.
extension ConnectionHandler {
    /// What the parser could not read has no head, so it is answered (and logged) as a request without one.
    func makeNamelessExchange() -> Exchange {
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: "?"), uri: "?")
        let exchange = self.makeExchange(head)
        exchange.keepAlive = false
        return exchange
    }

    func makeExchange(_ head: HTTPRequestHead) -> Exchange {
        var (head, known) = (head, KnownHeaders(head.headers))
        // On a stream they are refused.
        if known.hasOuterBlanks, self.transport != .stream {
            head.headers = head.headers.withoutOuterBlanks
            known = KnownHeaders(head.headers)
        }
        let offered = head.headers.first(known.requestID)
        let id = offered.flatMap { RequestIDGenerator.isAcceptable($0) ? $0 : nil } ?? self.loop.ids.next()
        return Exchange(
            number: self.loop.nextNumber(),
            id: id,
            head: head,
            known: known,
            arrival: .now(),
            keepAlive: head.isKeepAlive && !self.isClosingWhenIdle && !RequestCheck.leavesHTTP(head, known),
            body: BodyCollector(self.loop.bodies)
        )
    }

    /// Answers at once what is refused for its head: the client may wait for that with its body.
    ///
    /// A body that will not be used is read past if it is small; beyond that the connection ends with the answer.
    func refuseEarly(_ problem: GatewayError, _ exchange: Exchange, awaitsContinue: Bool) {
        let announced = exchange.body.announced
        if announced > self.loop.configuration.inlineLimit || awaitsContinue {
            exchange.keepAlive = false
        } else if self.transport == .stream {
            // To answer first would mean to reset the stream while its client sends, which not all clients bear.
            exchange.early = problem
            self.state = .receiving(exchange)
            return
        } else if announced > 0 || exchange.known.transferEncoding.isThere {
            exchange.skipsBody = true
        } else {
            exchange.early = problem
            self.state = .receiving(exchange)
            return
        }
        self.refuse(problem, exchange)
    }
}
