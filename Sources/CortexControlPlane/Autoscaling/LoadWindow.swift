/// How many requests an API had in flight lately, as means over periods of 10 s.
///
/// All times are durations since one origin, which is the caller's choice.
package struct LoadWindow: Hashable, Sendable, Codable {
    /// What is averaged first; also how often decisions are made.
    package static let period = Duration.seconds(10)

    /// One period's samples.
    private struct Bucket: Hashable, Sendable, Codable {
        var number: Int64
        var sum: Double
        var samples: Int
        /// Whether requests came, be it that each was gone before the next sample.
        var isBusy: Bool
    }

    /// What a window shows.
    package struct Load: Hashable, Sendable {
        /// Requests in flight, on average.
        package var mean: Double
        /// Whether there was no request at all.
        package var isIdle: Bool

        package init(mean: Double, isIdle: Bool) {
            self.mean = mean
            self.isIdle = isIdle
        }
    }

    /// By number.
    private var buckets: [Bucket] = []

    package init() {}

    /// The number of the period that a moment lies in.
    package static func number(at time: Duration) -> Int64 {
        time.components.seconds / self.period.components.seconds
    }

    /// Takes a sample; those of one period come in no certain rhythm, each counts the same.
    /// - Parameter isBusy: Whether requests came since the last one.
    package mutating func add(_ inFlight: Double, isBusy: Bool, at time: Duration) {
        let number = Self.number(at: time)
        let isBusy = isBusy || inFlight > 0
        guard let last = self.buckets.last, last.number >= number else {
            return self.buckets.append(Bucket(number: number, sum: inFlight, samples: 1, isBusy: isBusy))
        }
        self.buckets[self.buckets.count - 1].sum += inFlight
        self.buckets[self.buckets.count - 1].samples += 1
        if isBusy { self.buckets[self.buckets.count - 1].isBusy = true }
    }

    /// The load over the whole periods of the window that ended with the last one; nil where that has no sample.
    ///
    /// The mean is that of the periods' means. Periods without samples are left out: that nothing was measured does not
    /// mean that there was no load.
    package func load(over window: Duration, at time: Duration) -> Load? {
        let current = Self.number(at: time)
        let first = current - max(Self.number(at: window), 1)
        let whole = self.buckets.filter { (first..<current).contains($0.number) }
        guard whole.last?.number == current - 1 else { return nil }
        let mean = whole.reduce(0) { $0 + $1.sum / Double($1.samples) } / Double(whole.count)
        return Load(mean: mean, isIdle: !whole.contains(where: \.isBusy))
    }

    /// Forgets what no window of this length will show any more.
    package mutating func forget(beyond window: Duration, at time: Duration) {
        let first = Self.number(at: time) - max(Self.number(at: window), 1)
        self.buckets.removeAll { $0.number < first }
    }

    /// Moves all times, for an origin that has moved.
    mutating func shift(byPeriods count: Int64) {
        for index in self.buckets.indices { self.buckets[index].number += count }
    }
}
