import CortexSpec
import CortexTelemetry

/// What predictors count themselves (`metrics_client`), as `/metrics` says it.
///
/// Names have a prefix, so that none can be taken for one of the server's own.
extension LocalMetrics {
    private static let prefix = "cortex_user_"

    static func writeOwn(_ apis: [LocalAPI.Gauges], into text: inout PrometheusText) {
        text.family(
            "cortex_user_metrics_dropped_total",
            .counter,
            "Updates of metrics_client that were not taken: a bad name or tag, or too many series."
        )
        for api in apis {
            text.sample("cortex_user_metrics_dropped_total", [("api", "\(api.name)")], api.own.dropped)
        }
        var families = UserFamilies()
        for api in apis {
            let name = ("api", "\(api.name)")
            for (series, value) in api.own.counters {
                families.add(series, .counter) { text, family in
                    text.sample("\(family)_total", [name] + series.labels, value)
                }
            }
            for (worker, gauges) in api.own.gauges {
                for (series, value) in gauges {
                    families.add(series, .gauge) { text, family in
                        text.sample(family, [name, ("worker", worker)] + series.labels, value)
                    }
                }
            }
            for (series, histogram) in api.own.histograms {
                families.add(series, .histogram) { text, family in
                    text.histogram(family, [name] + series.labels, histogram)
                }
            }
        }
        families.write(into: &text, prefix: Self.prefix)
    }
}

/// Series by name: a family stands together, and has one kind.
private struct UserFamilies {
    private struct Family {
        let kind: PrometheusText.Kind
        var samples: [(inout PrometheusText, String) -> Void] = []
    }

    private var families: [String: Family] = [:]

    /// Where another API uses the name for another kind, the first one has it.
    mutating func add(
        _ series: UserMetrics.Series,
        _ kind: PrometheusText.Kind,
        _ sample: @escaping (inout PrometheusText, String) -> Void
    ) {
        guard self.families[series.name, default: Family(kind: kind)].kind == kind else { return }
        self.families[series.name, default: Family(kind: kind)].samples.append(sample)
    }

    func write(into text: inout PrometheusText, prefix: String) {
        for (name, family) in self.families.sorted(by: { $0.key < $1.key }) {
            let fullName = prefix + name
            let typed = family.kind == .counter ? "\(fullName)_total" : fullName
            text.family(typed, family.kind, "Counted by predictors with metrics_client.")
            for sample in family.samples { sample(&text, fullName) }
        }
    }
}

extension UserMetrics.Series {
    fileprivate var labels: [(String, String)] { self.tags.map { ($0.name, $0.value) } }
}
