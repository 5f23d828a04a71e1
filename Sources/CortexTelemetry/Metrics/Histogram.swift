package import NIOCore

/// Counts of durations between 1 ms and 60 s, as Prometheus' classic histograms have them.
package struct Histogram: Hashable, Sendable {
    /// Upper bounds in seconds: five a decade where users look, then coarser.
    package static let bounds: [(seconds: Double, label: String)] = [
        (0.001, "0.001"), (0.0025, "0.0025"), (0.005, "0.005"), (0.01, "0.01"), (0.025, "0.025"), (0.05, "0.05"),
        (0.1, "0.1"), (0.25, "0.25"), (0.5, "0.5"), (1, "1"), (2.5, "2.5"), (5, "5"), (10, "10"), (30, "30"),
        (60, "60"),
    ]
    private static let nanoseconds = Self.bounds.map { Int64($0.seconds * 1_000_000_000) }

    /// One count for each bound (not cumulated), and one for what lies beyond the last.
    package private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    package private(set) var sum: Int64 = 0

    package init() {}

    package var count: UInt64 { self.counts.reduce(0, +) }

    package mutating func record(_ duration: TimeAmount) {
        let value = max(duration.nanoseconds, 0)
        let index = Self.nanoseconds.firstIndex { value <= $0 } ?? Self.nanoseconds.count
        self.counts[index] += 1
        self.sum += value
    }

    package static func += (lhs: inout Self, rhs: Self) {
        for index in lhs.counts.indices { lhs.counts[index] += rhs.counts[index] }
        lhs.sum += rhs.sum
    }
}
