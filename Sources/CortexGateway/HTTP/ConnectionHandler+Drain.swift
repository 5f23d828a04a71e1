extension ConnectionHandler {
    /// 1 while a request is on its way in, or its answer is not wholly out.
    var openRequests: Int {
        switch self.state {
        case .receiving, .awaiting, .streaming: 1
        case .idle, .lingering, .closing: 0
        }
    }

    /// Whether the connection goes on after this request: not once the server is to end, so that a client's next one
    /// goes elsewhere instead of into a connection that is being closed.
    func goesOn(after exchange: Exchange) -> Bool {
        exchange.keepAlive && !self.isClosingWhenIdle && !self.loop.isDraining
    }
}
