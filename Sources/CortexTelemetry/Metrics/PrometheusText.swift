/// Writes metrics in Prometheus' text format, version 0.0.4.
package struct PrometheusText {
    package private(set) var text = ""

    package init() {}

    package enum Kind: String {
        case counter, gauge, histogram
    }

    /// Begins a metric; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: some BinaryInteger) {
        self.text += "\(name)\(Self.render(labels)) \(value)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        // Swift writes `inf` and `nan`, which the format has in capitals.
        let number = value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
        self.text += "\(name)\(Self.render(labels)) \(number)\n"
    }

    package mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
        let bounds = Histogram.bounds.lazy.map(\.label)
        self.histogram(
            name,
            labels,
            zip(bounds, histogram.counts),
            histogram.count,
            Double(histogram.sum) / 1_000_000_000
        )
    }

    package mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: ValueHistogram) {
        let count = histogram.counts.reduce(0, &+)
        self.histogram(name, labels, zip(ValueHistogram.bounds, histogram.counts), count, histogram.sum)
    }

    /// - Parameter buckets: Upper bounds with counts, not cumulated; without the one of what lies beyond.
    private mutating func histogram(
        _ name: String,
        _ labels: [(String, String)],
        _ buckets: some Sequence<(String, UInt64)>,
        _ count: UInt64,
        _ sum: Double
    ) {
        // Most of a scrape's text is this: what its lines have in common is rendered once.
        let pairs = Self.pairs(labels)
        let head = "\(name)_bucket{\(pairs)\(pairs.isEmpty ? "" : ",")le=\""
        var cumulated: UInt64 = 0
        for (bound, count) in buckets {
            cumulated &+= count
            self.text += head
            self.text += bound
            self.text += "\"} "
            self.text += String(cumulated)
            self.text += "\n"
        }
        self.text += "\(head)+Inf\"} \(count)\n"
        self.sample("\(name)_sum", labels, sum)
        self.sample("\(name)_count", labels, count)
    }

    private static func render(_ labels: [(String, String)]) -> String {
        labels.isEmpty ? "" : "{\(self.pairs(labels))}"
    }

    private static func pairs(_ labels: [(String, String)]) -> String {
        var pairs = ""
        for (name, value) in labels {
            if !pairs.isEmpty { pairs += "," }
            pairs += "\(name)=\"\(self.escaped(value))\""
        }
        return pairs
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        var text = ""
        // By scalars: as a character, a quote may carry an accent, and a line feed a carriage return.
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
