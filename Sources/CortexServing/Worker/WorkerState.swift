/// The life of one worker of a replica, restarts included.
///
/// `ends` counts how often in a row it has ended without having proven itself; see ``RestartBackoff``.
package enum WorkerState: Hashable, Sendable {
    /// Its process was started and is not ready yet. Next: `ready`, `backingOff`, `stopped`.
    case starting(ends: Int)
    /// Next: `backingOff`, `draining`, `stopped`.
    case ready(ends: Int, since: ContinuousClock.Instant)
    /// It finishes what it runs. Next: `stopped`.
    case draining
    /// It ended without being asked to, and will be started again. Next: `starting`, `stopped`.
    case backingOff(ends: Int)
    /// For good.
    case stopped

    /// A word for the `state` label of metrics.
    package enum Label: String, Hashable, Sendable, CaseIterable {
        case starting, ready, draining
        case backingOff = "backing_off"
        /// Ready, if its process had not been stopped by a signal.
        case stopped
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
        /// - Parameter ends: Those in a row, this one included.
        case restart(ends: Int)
        case finish
    }

    /// Ends in a row of one that is not ready.
    var failedStarts: Int {
        switch self {
        case .starting(let ends), .backingOff(let ends): ends
        case .ready, .draining, .stopped: 0
        }
    }

    package var isReady: Bool { if case .ready = self { true } else { false } }

    /// The ends in a row where they make a loop; nil where they do not, or where it has lasted for a while again.
    package func loop(at now: ContinuousClock.Instant) -> Int? {
        switch self {
        case .starting(let ends), .backingOff(let ends): ends >= RestartBackoff.loop ? ends : nil
        case .ready(let ends, let since):
            ends >= RestartBackoff.loop && now - since < RestartBackoff.steady ? ends : nil
        case .draining, .stopped: nil
        }
    }

    package mutating func becameReady(at now: ContinuousClock.Instant) {
        if case .starting(let ends) = self { self = .ready(ends: ends, since: now) }
    }

    package mutating func beganDraining() {
        switch self {
        case .starting, .ready: self = .draining
        case .backingOff: self = .stopped
        case .draining, .stopped: break
        }
    }

    /// - Parameter isFinal: The process said that a further try cannot go better.
    package mutating func exited(isFinal: Bool, at now: ContinuousClock.Instant) -> OnExit {
        let ends: Int
        switch self {
        case .draining, .stopped:
            self = .stopped
            return .finish
        case .ready(let before, let since):
            ends = RestartBackoff.ends(after: before, lifetime: now - since)
        case .starting(let before), .backingOff(let before):
            guard !isFinal else {
                self = .stopped
                return .finish
            }
            ends = before + 1
        }
        self = .backingOff(ends: ends)
        return .restart(ends: ends)
    }

    package mutating func beganStart() {
        switch self {
        case .backingOff(let ends): self = .starting(ends: ends)
        case .starting, .ready, .draining, .stopped: break
        }
    }
}
