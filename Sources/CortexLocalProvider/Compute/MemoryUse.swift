import CortexServing
import CortexSpec

/// What the workers of a replica use, against its limit.
struct MemoryUse: Sendable {
    var limit: ByteCount
    /// By worker, with all that it started.
    var workers: [String: ByteCount]

    var total: ByteCount { ByteCount(self.workers.values.reduce(0) { $0 + $1.bytes }) }
    var isOver: Bool { self.total > self.limit }

    /// Whom to end, and what to say: the worker that uses most; nil within the limit.
    ///
    var verdict: (worker: String, shortage: MemoryShortage)? {
        guard self.isOver else { return nil }
        // Of two that use the same, the first by name.
        let most = self.workers.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return most.map { ($0.key, .limit(used: self.total, limit: self.limit, share: $0.value)) }
    }
}
