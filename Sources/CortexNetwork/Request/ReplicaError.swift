import CortexGateway

/// An error that a replica answered, in so far as it matters here.
struct ReplicaError: Sendable {
    var code: String
    /// Seconds.
    var retryAfter: Int?
    /// No part of the request has run: it may be tried elsewhere.
    var isNotStarted: Bool

    /// Whether the replica takes nothing at all at the moment, rather than not this one.
    var isOfReplica: Bool {
        switch self.code {
        case "NOT_READY", "DRAINING", "NO_SUCH_API", "TOO_MANY_CONNECTIONS": true
        default: false
        }
    }
}
