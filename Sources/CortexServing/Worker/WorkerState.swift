/// The life of one worker of a replica, restarts included.
package enum WorkerState: Hashable, Sendable {
    /// Its process was started and is not ready yet. Next: `ready`, `backingOff`, `stopped`.
    case starting(attempt: Int)
    /// Next: `backingOff`, `draining`, `stopped`.
    case ready
    /// It finishes what it runs. Next: `stopped`.
    case draining
    /// It ended without being asked to, and will be started again. Next: `starting`, `stopped`.
    case backingOff(attempt: Int)
    /// For good.
    case stopped

    /// A word for the `state` label of metrics.
    package enum Label: String, Hashable, Sendable, CaseIterable {
        case starting, ready, draining
        case backingOff = "backing_off"
    }

    /// Nil where there is no such worker any more.
    package var label: Label? {
        switch self {
        case .starting: .starting
        case .ready: .ready
        case .draining: .draining
        case .backingOff: .backingOff
        case .stopped: nil
        }
    }

    package enum OnExit: Hashable {
        case restart(attempt: Int)
        case finish
    }

    package mutating func becameReady() {
        if case .starting = self { self = .ready }
    }

    package mutating func beganDraining() {
        switch self {
        case .starting, .ready: self = .draining
        case .backingOff: self = .stopped
        case .draining, .stopped: break
        }
    }

    /// - Parameter isFinal: The process said that a further try cannot go better.
    package mutating func exited(isFinal: Bool) -> OnExit {
        switch self {
        case .draining, .stopped:
            self = .stopped
            return .finish
        case .ready:
            self = .backingOff(attempt: 1)
            return .restart(attempt: 1)
        case .starting(let attempt), .backingOff(let attempt):
            guard !isFinal else {
                self = .stopped
                return .finish
            }
            self = .backingOff(attempt: attempt + 1)
            return .restart(attempt: attempt + 1)
        }
    }

    package mutating func beganStart() {
        switch self {
        case .backingOff(let attempt): self = .starting(attempt: attempt)
        case .starting, .ready, .draining, .stopped: break
        }
    }
}

/// The delay before the next start of a worker that ended.
///
/// `initial × 2^(attempt − 1)`, at most `limit`, ±10 % jitter: 100 ms, 200 ms, 400 ms … 30 s from attempt 10 on. A start
/// counts as failed until the worker is ready, so one that was ready comes back after the first delay.
package struct RestartBackoff: Sendable {
    package var initial: Duration = .milliseconds(100)
    package var limit: Duration = .seconds(30)

    package init() {}

    package func delay(attempt: Int, jitter: Double = .random(in: 0.9...1.1)) -> Duration {
        let doublings = min(max(attempt - 1, 0), 16)
        return min(self.initial * (1 << doublings), self.limit) * jitter
    }
}
