/// Where a connection is in its conversation.
enum ConnectionState {
    /// Between two requests. Next: `receiving`, `skipping`, `closing`.
    case idle
    /// The head of a request is there, its body is not whole. Next: `awaiting`, `idle`, `lingering`, `closing`.
    case receiving(Exchange)
    /// The request was refused for its head, and its body, which is small, is read past. Next: `idle`, `lingering`, `closing`.
    case skipping(Exchange)
    /// The request is with its upstream. Next: `streaming`, `leaving`, `idle`, `closing`.
    case awaiting(Exchange)
    /// The answer has begun. Next: `idle`, `closing`.
    case streaming(Exchange)
    /// The answer is written whole, and its reader takes it slowly. Next: `idle`, `lingering`, `closing`.
    case leaving(LeavingAnswer)
    /// The last answer was written while the client still sends: what comes is read and thrown away for a moment, since
    /// closing at once would reset the connection and take the answer with it. Next: `closing`.
    case lingering
    /// Nothing more is read or written.
    case closing
}
