import CortexServing
import CortexSpec
import CortexTelemetry

extension LocalAPI {
    /// What `/metrics` tells of an API beside what the gateway counts.
    struct Gauges: Sendable {
        var name: APIName
        var load: LocalVersion.Load
        /// By the reason of the worker's end.
        var restarts: [String: Int]
        var workers: Set<WorkerFamilies.Worker>
        /// Nil where the API has no models.
        var models: ModelGauges?
        /// What its predictors count themselves.
        var own: UserMetrics.Values
    }

    /// Of the version that serves, and of all before it.
    struct ModelGauges: Sendable {
        var counters: ModelCounters.Values
        var counts: ModelCounts
        var loaded: Int
    }
}
