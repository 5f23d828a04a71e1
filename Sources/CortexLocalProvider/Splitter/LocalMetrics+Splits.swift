package import CortexSpec
package import CortexTelemetry

extension LocalMetrics {
    /// What splitters have led to their APIs.
    ///
    /// - Parameter splits: By splitter.
    package static func write(_ splits: [APIName: SplitCounters], into text: inout PrometheusText) {
        guard !splits.isEmpty else { return }
        let sorted = splits.sorted { $0.key < $1.key }
        let answered = sorted.flatMap { splitter, counters in self.labelled(splitter, counters.answered) }
        let copied = sorted.flatMap { splitter, counters in self.labelled(splitter, counters.copied) }
        let requests = "cortex_splitter_requests_total"
        text.family(requests, .counter, "Requests that splitters led to APIs, by HTTP status.")
        for (labels, counters) in answered { self.write(requests, labels, counters, into: &text) }
        let duration = "cortex_splitter_request_duration_seconds"
        text.family(duration, .histogram, "From arrival to answer, of requests that splitters led to APIs.")
        for (labels, counters) in answered { text.histogram(duration, labels, counters.duration) }
        let copies = "cortex_splitter_copies_total"
        text.family(copies, .counter, "Copies of requests that splitters sent to shadows, by HTTP status.")
        for (labels, counters) in copied { self.write(copies, labels, counters, into: &text) }
        let dropped = "cortex_splitter_dropped_copies_total"
        text.family(dropped, .counter, "Copies of requests that their shadows did not take.")
        for (labels, counters) in copied {
            for (reason, count) in counters.shed.sorted(by: { $0.key < $1.key }) {
                text.sample(dropped, labels + [("reason", reason)], count)
            }
        }
    }

    private static func labelled(
        _ splitter: APIName,
        _ targets: [APIName: APICounters]
    ) -> [(labels: [(String, String)], counters: APICounters)] {
        targets.sorted { $0.key < $1.key }.map { ([("api", "\(splitter)"), ("target", "\($0.key)")], $0.value) }
    }

    private static func write(
        _ name: String,
        _ labels: [(String, String)],
        _ counters: APICounters,
        into text: inout PrometheusText
    ) {
        for (status, count) in counters.predictions.sorted {
            text.sample(name, labels + [("code", "\(status)")], count)
        }
    }
}
