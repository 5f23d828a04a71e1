import NIOHTTP1

/// What is made of the head of a request, before its body comes.
extension ConnectionHandler {
    static func withoutOuterBlanks(_ head: HTTPRequestHead) -> HTTPRequestHead {
        guard head.headers.hasOuterBlanks else { return head }
        var head = head
        head.headers = head.headers.withoutOuterBlanks
        return head
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
        } else if announced > 0 || exchange.head.headers.contains(name: "transfer-encoding") {
            exchange.skipsBody = true
        } else {
            exchange.early = problem
            self.state = .receiving(exchange)
            return
        }
        self.refuse(problem, exchange)
    }
}
