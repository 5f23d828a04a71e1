import CortexControlPlane
import CortexServing
package import CortexSpec
package import CortexTelemetry

/// What `/metrics` says of this machine's APIs.
package enum LocalMetrics {
    /// - Parameters:
    ///   - splitters: Those among the APIs that make no predictions of their own.
    ///   - unrouted: Of requests that are for no API.
    package static func write(
        _ counters: [APIName: APICounters],
        splitters: Set<APIName> = [],
        unrouted: APICounters,
        into text: inout PrometheusText
    ) {
        let named = counters.sorted { $0.key < $1.key }
        let all = [("", unrouted)] + named.map { ("\($0.key)", $0.value) }
        let sorted = named.filter { !splitters.contains($0.key) }
        text.family(
            "cortex_requests_total",
            .counter,
            "Requests answered, by HTTP status; without an API where none is meant."
        )
        for (api, counters) in all {
            for (status, count) in counters.requests.sorted {
                text.sample("cortex_requests_total", [("api", api), ("code", "\(status)")], count)
            }
        }
        self.histogram("cortex_request_duration_seconds", "From arrival to answer.", sorted, \.duration, into: &text)
        self.histogram("cortex_queue_duration_seconds", "Not spent in predict.", sorted, \.queue, into: &text)
        self.histogram("cortex_predict_duration_seconds", "Spent in predict.", sorted, \.predict, into: &text)
        text.family("cortex_batch_size", .histogram, "Requests of one call of predict.")
        for (api, counters) in sorted {
            // No predictor gets more than one request at a time yet.
            let calls = counters.predict.count
            let labels = [("api", "\(api)")]
            for bound in ["1", "2", "4", "8", "16", "32", "64", "128", "+Inf"] {
                text.sample("cortex_batch_size_bucket", labels + [("le", bound)], calls)
            }
            text.sample("cortex_batch_size_sum", labels, calls)
            text.sample("cortex_batch_size_count", labels, calls)
        }
        text.family("cortex_shed_requests_total", .counter, "Requests refused without being tried.")
        for (api, counters) in sorted {
            for (reason, count) in self.withZeros(counters.shed, self.reasons) {
                text.sample("cortex_shed_requests_total", [("api", "\(api)"), ("reason", reason)], count)
            }
        }
        text.family("cortex_cancelled_requests_total", .counter, "Clients that left before their answer.")
        for (api, counters) in all {
            for (stage, count) in self.withZeros(counters.cancelled, self.stages) {
                text.sample("cortex_cancelled_requests_total", [("api", api), ("stage", stage)], count)
            }
        }
    }

    private static let reasons = ["queue_full", "not_ready", "draining", "deadline", "spool_full"]
    private static let stages = ["receiving", "waiting", "streaming", "reading"]

    /// Counts by name, those included that are none yet, so that the first one is a rise.
    private static func withZeros(_ counts: [String: UInt64], _ names: [String]) -> [(key: String, value: UInt64)] {
        counts.merging(names.map { ($0, 0) }) { count, _ in count }.sorted { $0.key < $1.key }
    }

    private static func histogram(
        _ name: String,
        _ help: String,
        _ counters: [(key: APIName, value: APICounters)],
        _ path: KeyPath<APICounters, Histogram>,
        into text: inout PrometheusText
    ) {
        text.family(name, .histogram, help)
        for (api, counters) in counters { text.histogram(name, [("api", "\(api)")], counters[keyPath: path]) }
    }

    static func write(_ gauges: [LocalAPI.Gauges], into text: inout PrometheusText) {
        text.family("cortex_in_flight_requests", .gauge, "Requests queued or running.")
        for api in gauges { text.sample("cortex_in_flight_requests", [("api", "\(api.name)")], api.load.inFlight) }
        text.family("cortex_queued_requests", .gauge, "Requests that wait for a slot.")
        for api in gauges { text.sample("cortex_queued_requests", [("api", "\(api.name)")], api.load.queued) }
        text.family("cortex_workers", .gauge, "Workers, by state.")
        for api in gauges {
            for state in WorkerState.Label.allCases {
                let labels = [("api", "\(api.name)"), ("state", state.rawValue)]
                text.sample("cortex_workers", labels, api.load.workers[state] ?? 0)
            }
        }
        text.family("cortex_worker_restarts_total", .counter, "Workers that ended and were replaced.")
        for api in gauges {
            // All of them, so that the first one is a rise.
            for reason in WorkerExit.labels {
                let labels = [("api", "\(api.name)"), ("reason", reason)]
                text.sample("cortex_worker_restarts_total", labels, api.restarts[reason] ?? 0)
            }
        }
    }

    static func writeMemory(_ resident: [(api: APIName, bytes: ByteCount)], into text: inout PrometheusText) {
        // A system that does not tell has no worker without memory.
        guard resident.contains(where: { $0.bytes.bytes > 0 }) else { return }
        text.family("cortex_worker_rss_bytes", .gauge, "Memory of the workers, with all that they have started.")
        for (api, bytes) in resident { text.sample("cortex_worker_rss_bytes", [("api", "\(api)")], bytes.bytes) }
    }
}

extension LocalMetrics {
    static func writeModels(_ apis: [LocalAPI.Gauges], into text: inout PrometheusText) {
        let apis = apis.compactMap { api in api.models.map { (name: "\(api.name)", models: $0) } }
        guard !apis.isEmpty else { return }
        text.family("cortex_model_loads_total", .counter, "Models brought to memory, by result.")
        for api in apis {
            for (model, results) in api.models.counters.loads.sorted(by: { $0.key < $1.key }) {
                for (result, count) in results.sorted(by: { $0.key < $1.key }) {
                    let labels = [("api", api.name), ("model", model), ("result", result)]
                    text.sample("cortex_model_loads_total", labels, count)
                }
            }
        }
        text.family("cortex_model_load_duration_seconds", .histogram, "From the files on disk to a model in memory.")
        for api in apis {
            text.histogram("cortex_model_load_duration_seconds", [("api", api.name)], api.models.counters.duration)
        }
        text.family("cortex_models_loaded", .gauge, "Models in memory, over all workers.")
        for api in apis { text.sample("cortex_models_loaded", [("api", api.name)], api.models.loaded) }
        text.family("cortex_model_evictions_total", .counter, "Models that left memory to make room for others.")
        for api in apis {
            text.sample("cortex_model_evictions_total", [("api", api.name)], api.models.counters.evictions)
        }
        text.family("cortex_model_cache_hits_total", .counter, "Models that were in memory when they were wanted.")
        for api in apis { text.sample("cortex_model_cache_hits_total", [("api", api.name)], api.models.counts.hits) }
        text.family("cortex_model_cache_misses_total", .counter, "Models that had to be loaded when they were wanted.")
        for api in apis {
            text.sample("cortex_model_cache_misses_total", [("api", api.name)], api.models.counts.misses)
        }
    }
}

extension RequestStatistics {
    init(_ counters: APICounters) {
        // Of what was taken in: a refusal says nothing of how long an answer takes.
        let count = counters.queue.count
        self.init(
            code2xx: Int(counters.predictions.count(in: 200..<300)),
            code4xx: Int(counters.predictions.count(in: 400..<500)),
            code5xx: Int(counters.predictions.count(in: 500..<600)),
            averageMilliseconds: count == 0
                ? nil : Double(counters.queue.sum + counters.predict.sum) / Double(count) / 1_000_000
        )
    }
}
