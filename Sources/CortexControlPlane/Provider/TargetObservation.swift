package import CortexSpec

/// What is seen of one API that a splitter leads requests to.
package struct TargetObservation: Hashable, Sendable {
    package var target: TrafficSplitterSpec.Target
    /// Nil where no such API is known.
    package var status: APIStatus?
    /// Replicas of it that are wanted now.
    package var requested: Int
    /// Of what this splitter has led to it; of a shadow, the copies.
    package var requests: RequestStatistics

    package init(
        target: TrafficSplitterSpec.Target,
        status: APIStatus?,
        requested: Int,
        requests: RequestStatistics
    ) {
        self.target = target
        self.status = status
        self.requested = requested
        self.requests = requests
    }
}
