/// A client's connection, as the end of the server sees it.
protocol ClientConnection: AnyObject {
    /// Requests that are on their way in, or whose answers are not wholly out.
    var openRequests: Int { get }
    /// Ends the connection after what is in flight.
    func closeWhenIdle()
    /// Ends it now.
    func closeNow()
}
