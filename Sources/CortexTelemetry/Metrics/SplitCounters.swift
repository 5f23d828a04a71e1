package import CortexSpec

/// What is counted of what one splitter led to its APIs, on one event loop; added up when somebody asks.
///
/// An API that the splitter leads nothing to any more keeps its counts.
package struct SplitCounters: Hashable, Sendable {
    package private(set) var answered: [APIName: APICounters] = [:]
    /// Of copies of requests, sent to shadows.
    package private(set) var copied: [APIName: APICounters] = [:]

    package init() {}

    package mutating func count(_ api: APIName, asCopy: Bool, _ change: (inout APICounters) -> Void) {
        if asCopy {
            change(&self.copied[api, default: APICounters()])
        } else {
            change(&self.answered[api, default: APICounters()])
        }
    }

    package static func += (lhs: inout Self, rhs: Self) {
        for (api, counters) in rhs.answered { lhs.answered[api, default: APICounters()] += counters }
        for (api, counters) in rhs.copied { lhs.copied[api, default: APICounters()] += counters }
    }
}
