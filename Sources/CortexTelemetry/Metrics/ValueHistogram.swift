/// Counts of values whose unit only the user knows: seconds, milliseconds, items, scores.
///
/// Hence the wide range: three bounds a decade, from 0.001 to 10,000 (`metrics_client.py` has the same).
package struct ValueHistogram: Hashable, Sendable {
    /// Upper bounds, as labels have them.
    package static let bounds = [
        "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "25", "50",
        "100", "250", "500", "1000", "2500", "5000", "10000",
    ]

    /// One count for each bound (not cumulated), and one for what lies beyond the last.
    package private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    package private(set) var sum: Double = 0

    package init() {}

    package mutating func add(_ counts: [UInt64], sum: Double) {
        guard counts.count == self.counts.count else { return }
        for index in counts.indices { self.counts[index] &+= counts[index] }
        self.sum += sum
    }
}
