import CortexServing
import CortexTelemetry
import NIOCore
import Synchronization

/// What is counted of an API's models since the server started, over all versions of the API.
final class ModelCounters: Sendable {
    struct Values: Sendable {
        /// Loads by model, and then by result: `success` or `failure`.
        var loads: [String: [String: UInt64]] = [:]
        var duration = Histogram()
        /// Models that left memory to make room for others.
        var evictions: UInt64 = 0
        /// Of versions of the API that are gone.
        var past = ModelCounts()
    }

    private let values = Mutex(Values())

    var current: Values { self.values.withLock { $0 } }

    func loaded(_ model: String, isSuccess: Bool, seconds: Double?) {
        self.values.withLock {
            $0.loads[model, default: [:]][isSuccess ? "success" : "failure", default: 0] += 1
            guard isSuccess, let seconds, seconds.isFinite, seconds >= 0 else { return }
            $0.duration.record(.nanoseconds(Int64(min(seconds, 1e6) * 1e9)))
        }
    }

    func evicted() {
        self.values.withLock { $0.evictions += 1 }
    }

    func ended(_ counts: ModelCounts) {
        self.values.withLock { $0.past = $0.past + counts }
    }
}
