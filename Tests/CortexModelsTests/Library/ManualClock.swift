import Synchronization

/// A clock that stands still until a test moves it on to what somebody sleeps for.
final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Self { Self(offset: self.offset + duration) }
        func duration(to other: Self) -> Duration { other.offset - self.offset }
        static func < (lhs: Self, rhs: Self) -> Bool { lhs.offset < rhs.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var lastID = 0
        var sleepers: [Int: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var now: Instant { self.state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = self.state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isCancelled, watchers) = self.state.withLock { state in
                    guard state.cancelled.remove(id) == nil else { return (true, [CheckedContinuation<Void, Never>]()) }
                    state.sleepers[id] = (deadline, continuation)
                    defer { state.watchers = [] }
                    return (false, state.watchers)
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                for watcher in watchers { watcher.resume() }
            }
        } onCancel: {
            let sleeper = self.state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Waits until somebody sleeps for no more than `limit`, wakes the first of them, and says how long it had to go.
    @discardableResult
    func wakeNext(within limit: Duration = .seconds(300)) async -> Duration {
        while true {
            let next = self.state.withLock { state -> (Duration, CheckedContinuation<Void, any Error>)? in
                guard let (id, sleeper) = state.sleepers.min(by: { $0.value.deadline < $1.value.deadline }),
                    state.now.duration(to: sleeper.deadline) <= limit
                else { return nil }
                let wait = state.now.duration(to: sleeper.deadline)
                state.now = max(state.now, sleeper.deadline)
                state.sleepers[id] = nil
                return (wait, sleeper.continuation)
            }
            if let (wait, continuation) = next {
                continuation.resume()
                return wait
            }
            await withCheckedContinuation { continuation in
                let isThere = self.state.withLock { state in
                    let isThere = state.sleepers.contains { state.now.duration(to: $0.value.deadline) <= limit }
                    if !isThere { state.watchers.append(continuation) }
                    return isThere
                }
                if isThere { continuation.resume() }
            }
        }
    }
}
