import CortexControlPlane
import CortexSpec
import CortexTelemetry

/// What `/metrics` says of this machine's APIs.
enum LocalMetrics {
    static func write(_ counters: [APIName: APICounters], into text: inout PrometheusText) {
        let sorted = counters.sorted { $0.key < $1.key }
        text.family("cortex_requests_total", .counter, "Predictions answered, by HTTP status.")
        for (api, counters) in sorted {
            for (code, count) in counters.requests.sorted(by: { $0.key < $1.key }) {
                text.sample("cortex_requests_total", [("api", "\(api)"), ("code", "\(code)")], count)
            }
        }
        self.histogram("cortex_request_duration_seconds", "From arrival to answer.", sorted, \.duration, into: &text)
        self.histogram("cortex_queue_duration_seconds", "Not spent in predict.", sorted, \.queue, into: &text)
        self.histogram("cortex_predict_duration_seconds", "Spent in predict.", sorted, \.predict, into: &text)
        text.family("cortex_shed_requests_total", .counter, "Requests refused without being tried.")
        for (api, counters) in sorted {
            for (reason, count) in counters.shed.sorted(by: { $0.key < $1.key }) {
                text.sample("cortex_shed_requests_total", [("api", "\(api)"), ("reason", reason)], count)
            }
        }
        text.family("cortex_cancelled_requests_total", .counter, "Clients that left before their answer.")
        for (api, counters) in sorted {
            for (stage, count) in counters.cancelled.sorted(by: { $0.key < $1.key }) {
                text.sample("cortex_cancelled_requests_total", [("api", "\(api)"), ("stage", stage)], count)
            }
        }
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
            text.sample("cortex_workers", [("api", "\(api.name)"), ("state", "ready")], api.load.readyWorkers)
        }
        text.family("cortex_worker_restarts_total", .counter, "Workers that ended and were replaced.")
        for api in gauges {
            text.sample("cortex_worker_restarts_total", [("api", "\(api.name)"), ("reason", "exit")], api.restarts)
        }
    }
}

extension RequestStatistics {
    init(_ counters: APICounters) {
        var codes = [0, 0, 0]
        for (status, count) in counters.requests {
            switch status {
            case 200..<300: codes[0] += Int(count)
            case 400..<500: codes[1] += Int(count)
            case 500...: codes[2] += Int(count)
            default: break
            }
        }
        let count = counters.duration.count
        self.init(
            code2xx: codes[0],
            code4xx: codes[1],
            code5xx: codes[2],
            averageMilliseconds: count == 0 ? nil : Double(counters.duration.sum) / Double(count) / 1_000_000
        )
    }
}
