import Foundation
package import NIOCore
import Synchronization

/// What the predictors of one API count themselves (`metrics_client`), over all its workers and versions.
///
/// Workers add up on their own and send what has come since, so that a call costs no message. Counters and histograms
/// of several workers are added; a gauge is each worker's own, and goes with it.
package final class UserMetrics: Sendable {
    /// Series of one API beyond which new ones are dropped.
    package static let limit = 1000

    package enum Kind: Hashable, Sendable {
        case counter, gauge, histogram
    }

    /// Name and tags of one series; tags by name.
    package struct Series: Hashable, Sendable {
        package var name: String
        package var tags: [Tag]

        package init(name: String, tags: [Tag]) {
            self.name = name
            self.tags = tags
        }
    }

    package struct Tag: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Values: Sendable {
        package fileprivate(set) var counters: [Series: Double] = [:]
        package fileprivate(set) var histograms: [Series: ValueHistogram] = [:]
        /// By worker.
        package fileprivate(set) var gauges: [String: [Series: Double]] = [:]
        /// Updates that were refused: names and tags that are not allowed, series over the limit.
        package fileprivate(set) var dropped: UInt64 = 0
        fileprivate var kinds: [String: Kind] = [:]

        fileprivate var seriesCount: Int {
            self.counters.count + self.histograms.count + self.gauges.values.reduce(0) { $0 + $1.count }
        }
    }

    private let values = Mutex(Values())

    package init() {}

    package var current: Values { self.values.withLock { $0 } }

    /// Adds what a worker tells: the JSON of a `METRICS` frame.
    ///
    /// - Throws: Where it is not what `docs/wire-protocol.md` says.
    package func add(_ message: ByteBuffer, from worker: String) throws {
        let update = try JSONDecoder().decode(Update.self, from: Data(message.readableBytesView))
        self.values.withLock { values in
            values.dropped += update.dropped
            for each in update.counters where values.admits(each.series, .counter, values.counters[each.series] != nil)
            {
                values.counters[each.series, default: 0] += max(each.value, 0)
            }
            for each in update.gauges {
                let isKnown = values.gauges[worker]?[each.series] != nil
                if values.admits(each.series, .gauge, isKnown) {
                    values.gauges[worker, default: [:]][each.series] = each.value
                }
            }
            for each in update.histograms {
                let isKnown = values.histograms[each.series] != nil
                if values.admits(each.series, .histogram, isKnown) {
                    values.histograms[each.series, default: ValueHistogram()].add(each.counts, sum: each.value)
                }
            }
        }
    }

    /// The worker is gone, and what it measured is no longer so.
    package func ended(_ worker: String) {
        self.values.withLock { $0.gauges[worker] = nil }
    }
}

extension UserMetrics.Values {
    /// Whether an update may be taken; a worker checks names before it sends them, so that these are safe here.
    fileprivate mutating func admits(_ series: UserMetrics.Series, _ kind: UserMetrics.Kind, _ isKnown: Bool) -> Bool {
        if isKnown { return true }
        // A name has one kind, or its family could not be read.
        guard self.kinds[series.name, default: kind] == kind, self.seriesCount < UserMetrics.limit else {
            self.dropped += 1
            return false
        }
        self.kinds[series.name] = kind
        return true
    }
}

/// The message of a worker.
private struct Update: Decodable {
    /// One series: name, tags, a number, and for histograms the counts of its buckets.
    struct Entry: Decodable {
        let series: UserMetrics.Series
        let value: Double
        let counts: [UInt64]

        init(from decoder: any Decoder) throws {
            var parts = try decoder.unkeyedContainer()
            let name = try parts.decode(String.self)
            let tags = try parts.decode([String: String].self).sorted { $0.key < $1.key }
            self.series = UserMetrics.Series(
                name: name,
                tags: tags.map { UserMetrics.Tag(name: $0.key, value: $0.value) }
            )
            self.value = try parts.decode(Double.self)
            self.counts = parts.isAtEnd ? [] : try parts.decode([UInt64].self)
        }
    }

    var counters: [Entry]
    var gauges: [Entry]
    var histograms: [Entry]
    var dropped: UInt64
}
