/// How many answers had each HTTP status.
///
/// An API answers with a handful of them, so that looking through a list is faster than hashing.
package struct StatusCounts: Hashable, Sendable {
    private struct Entry: Hashable {
        let status: Int
        var count: UInt64
    }

    private var entries: [Entry] = []

    package init() {}

    /// Status and count, lowest status first.
    package var sorted: [(status: Int, count: UInt64)] {
        self.entries.sorted { $0.status < $1.status }.map { ($0.status, $0.count) }
    }

    /// The sum over the statuses of a range.
    package func count(in statuses: Range<Int>) -> UInt64 {
        self.entries.lazy.filter { statuses.contains($0.status) }.reduce(0) { $0 + $1.count }
    }

    package mutating func add(_ status: Int, _ count: UInt64 = 1) {
        // A predictor may answer with any number; what is no status of HTTP shares one, so that there is a bound.
        let status = (100..<600).contains(status) ? status : 0
        for index in self.entries.indices where self.entries[index].status == status {
            self.entries[index].count += count
            return
        }
        self.entries.append(Entry(status: status, count: count))
    }

    package static func += (lhs: inout Self, rhs: Self) {
        for entry in rhs.entries { lhs.add(entry.status, entry.count) }
    }
}
