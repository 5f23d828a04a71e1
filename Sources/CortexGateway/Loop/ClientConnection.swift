/// A client's connection, as the end of the server sees it.
protocol ClientConnection: AnyObject {
    /// Requests that are on their way in, or whose answers are not wholly out.
    var openRequests: Int { get }
    /// Whether it is one of this server's workers that calls.
    var isOfWorker: Bool { get }
    /// Ends the connection after what is in flight.
    func closeWhenIdle()
    /// Tells whoever still waits for an answer that there will be none, and ends the connection once that has left.
    func cutOff()
    /// Ends it now.
    func closeNow()
}

extension ClientConnection {
    var isOfWorker: Bool { false }
}
