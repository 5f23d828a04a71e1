package import CortexSpec

/// The autoscaler of one API, and what a service has to know beside it.
struct AutoscalerRecord {
    var autoscaler: Autoscaler
    /// What the provider had received when it was asked last; nil before the first time.
    var received: UInt64?
    /// How many replicas were wanted when it was asked last.
    var requested: Int?
    /// The newest decision.
    var decision: ScalingDecision?
    /// What was asked for and not granted, so that it is told once.
    var refused: Int?
    var changes = AutoscalingGauges.Changes()
}

/// What `/metrics` tells of the autoscaling of one API.
package struct AutoscalingGauges: Hashable, Sendable {
    package struct Changes: Hashable, Sendable {
        package var up: UInt64 = 0
        package var down: UInt64 = 0

        package init(up: UInt64 = 0, down: UInt64 = 0) {
            self.up = up
            self.down = down
        }
    }

    package var api: APIName
    package var requested: Int
    /// Nil before the first decision.
    package var recommended: Int?
    /// Requests in flight, on average over the window; nil before the first decision.
    package var load: Double?
    package var changes: Changes
}
