/// What was recommended lately: the bounds within which the count of replicas may move now.
package struct StabilizationHistory: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        /// In whole seconds, as decisions are.
        var second: Int64
        var replicas: Int
    }

    /// By time.
    private var entries: [Entry] = []

    package init() {}

    package mutating func add(_ replicas: Int, at time: Duration) {
        self.entries.append(Entry(second: time.components.seconds, replicas: replicas))
    }

    /// The least that was recommended since `period` before `time`; what was recommended at `time` itself always counts.
    package func lowest(within period: Duration, at time: Duration) -> Int? {
        self.recent(period, time).map(\.replicas).min()
    }

    /// The most that was recommended since `period` before `time`; what was recommended at `time` itself always counts.
    package func highest(within period: Duration, at time: Duration) -> Int? {
        self.recent(period, time).map(\.replicas).max()
    }

    private func recent(_ period: Duration, _ time: Duration) -> some Sequence<Entry> {
        let now = time.components.seconds
        return self.entries.lazy.filter { $0.second >= now || .seconds(now - $0.second) < period }
    }

    /// Forgets what no period of this length will reach any more.
    package mutating func forget(beyond period: Duration, at time: Duration) {
        let now = time.components.seconds
        self.entries.removeAll { $0.second < now && .seconds(now - $0.second) >= period }
    }

    /// Moves all times, for an origin that has moved.
    mutating func shift(by seconds: Int64) {
        for index in self.entries.indices { self.entries[index].second += seconds }
    }
}
