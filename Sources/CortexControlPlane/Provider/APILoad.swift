package import CortexSpec

/// What an API bears at a moment, and what its replicas are to follow.
package struct APILoad: Hashable, Sendable {
    /// The newest that was asked for.
    package var spec: APISpec
    /// Which version of the API that is.
    package var version: Int
    /// Replicas that are wanted now.
    package var requested: Int
    /// Whether a replica takes requests.
    ///
    /// Where none does, that nothing is in flight says nothing of the load.
    package var isServing: Bool
    /// Requests that were taken in and not answered yet, those that wait among them.
    package var inFlight: Int
    /// Requests that were taken in since the server started.
    package var received: UInt64

    package init(
        spec: APISpec,
        version: Int,
        requested: Int,
        isServing: Bool,
        inFlight: Int,
        received: UInt64
    ) {
        self.spec = spec
        self.version = version
        self.requested = requested
        self.isServing = isServing
        self.inFlight = inFlight
        self.received = received
    }
}
