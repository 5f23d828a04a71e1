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
        var cumulated: UInt64 = 0
        for (index, bound) in Histogram.bounds.enumerated() {
            cumulated += histogram.counts[index]
            self.sample("\(name)_bucket", labels + [("le", bound.label)], cumulated)
        }
        self.sample("\(name)_bucket", labels + [("le", "+Inf")], histogram.count)
        self.sample("\(name)_sum", labels, Double(histogram.sum) / 1_000_000_000)
        self.sample("\(name)_count", labels, histogram.count)
    }

    package mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: ValueHistogram) {
        var cumulated: UInt64 = 0
        for (bound, count) in zip(ValueHistogram.bounds + ["+Inf"], histogram.counts) {
            cumulated += count
            self.sample("\(name)_bucket", labels + [("le", bound)], cumulated)
        }
        self.sample("\(name)_sum", labels, histogram.sum)
        self.sample("\(name)_count", labels, cumulated)
    }

    private static func render(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { name, value in
            // By scalars: as a character, a quote may carry an accent, and a line feed a carriage return.
            let escaped = value.unicodeScalars.map { scalar in
                switch scalar {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(scalar)
                }
            }
            return "\(name)=\"\(escaped.joined())\""
        }
        return "{\(pairs.joined(separator: ","))}"
    }
}
