package import CortexSpec

/// All that a gateway needs to know of a splitter: `status.route`, which only the operator writes.
package struct SplitRouteStatus: Hashable, Sendable, Codable {
    package var version: Int
    /// Of the version that serves.
    package var spec: TrafficSplitterSpec

    package init(version: Int, spec: TrafficSplitterSpec) {
        self.version = version
        self.spec = spec
    }
}

/// All that a gateway needs to know of an API: `status.route`, which only the operator writes.
///
/// It is that of the version which serves; before anything has served, of the newest.
package struct RouteStatus: Hashable, Sendable, Codable {
    package var version: Int
    /// Endpoint, timeout, largest body, origins and keys.
    package var networking: NetworkingSpec
    package var maxReplicaConcurrency: Int
    /// No replica is there since none is wanted, or the first is on its way: requests are held.
    package var isAsleep: Bool
    /// Reserved.
    package var summary: String?

    package init(
        version: Int,
        networking: NetworkingSpec,
        maxReplicaConcurrency: Int,
        isAsleep: Bool,
        summary: String? = nil
    ) {
        self.version = version
        self.networking = networking
        self.maxReplicaConcurrency = maxReplicaConcurrency
        self.isAsleep = isAsleep
        self.summary = summary
    }
}
