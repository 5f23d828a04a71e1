import CortexSpec
import NIOCore
import Synchronization

/// What the event loops of one API have in common.
final class UpstreamShared: Sendable {
    let api: APIName
    /// What replicas know the API by.
    let host: String
    let settings: NetworkSettings
    /// Called on an event loop, when a request waits for a replica and none did before.
    let onWaiting: @Sendable () -> Void
    private let inFlightCount = Atomic<Int>(0)
    private let waitingCount = Atomic<Int>(0)
    private let receivedCount = Atomic<UInt64>(0)
    private let retryCount = Atomic<UInt64>(0)
    /// Of answers, in nanoseconds, smoothed.
    private let latency = Atomic<Int64>(0)

    init(api: APIName, settings: NetworkSettings, onWaiting: @escaping @Sendable () -> Void) {
        self.api = api
        self.host = "api-\(api)"
        self.settings = settings
        self.onWaiting = onWaiting
    }

    var inFlight: Int { self.inFlightCount.load(ordering: .relaxed) }
    var waiting: Int { self.waitingCount.load(ordering: .relaxed) }
    var received: UInt64 { self.receivedCount.load(ordering: .relaxed) }

    /// How often a request came back from a replica where it was not started.
    var retries: UInt64 { self.retryCount.load(ordering: .relaxed) }

    // MARK: Counting

    func came() {
        self.inFlightCount.add(1, ordering: .relaxed)
        self.receivedCount.add(1, ordering: .relaxed)
    }

    func left() { self.inFlightCount.subtract(1, ordering: .relaxed) }

    /// Whether there is room for one more to wait; then it has its place.
    func beginsWaiting(limit: Int) -> Bool {
        let count = self.waitingCount.add(1, ordering: .relaxed).newValue
        guard count <= limit else {
            self.stopsWaiting()
            return false
        }
        if count == 1 { self.onWaiting() }
        return true
    }

    func stopsWaiting() { self.waitingCount.subtract(1, ordering: .relaxed) }

    func wasRetried() { self.retryCount.add(1, ordering: .relaxed) }

    func answered(after time: TimeAmount) {
        // Two loops at once may lose one of their figures: it is an estimate.
        let known = self.latency.load(ordering: .relaxed)
        let next = known == 0 ? time.nanoseconds : known + (time.nanoseconds - known) / 16
        self.latency.store(next, ordering: .relaxed)
    }

    /// Seconds in which what is in flight will be gone: by then each has taken about as long as the others did.
    var retryAfter: Int {
        let seconds = (self.latency.load(ordering: .relaxed) + 999_999_999) / 1_000_000_000
        return Int(min(max(seconds, 1), 60))
    }
}
