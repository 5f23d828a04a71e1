import CortexControlPlane
import CortexSpec

/// How far the newest version of one API has come, as the terminal tells it.
enum DevRollout: Equatable, Sendable {
    /// Next: `failing`, `live`.
    case starting(DevAttempt)
    /// Seen to have failed, and not told yet: lines that were written before come first. Next: `failed`, `live`.
    case failing(DevAttempt, reason: String)
    /// Told. The server may try again. Next: `live`.
    case failed(DevAttempt)
    case live(DevAttempt)

    /// What is to be told.
    enum Step: Equatable, Sendable {
        case live
        case failed(reason: String)
        /// Another deploy took its place.
        case replaced
    }

    var attempt: DevAttempt {
        switch self {
        case .starting(let attempt), .failing(let attempt, _), .failed(let attempt), .live(let attempt): attempt
        }
    }

    var isLive: Bool { if case .live = self { true } else { false } }
    var isFailed: Bool { if case .failed = self { true } else { false } }
    /// Whether nothing more is to be expected of it but by a change or another try.
    var isSettled: Bool { self.isLive || self.isFailed }

    mutating func saw(_ api: APIResponse) -> Step? {
        self.saw(
            wanted: api.deployment.version,
            serving: api.status.servingVersion,
            status: api.status.code,
            reason: api.status.reason
        )
    }

    /// - Parameters:
    ///   - wanted: The version that is to serve.
    ///   - serving: The version that answers now.
    mutating func saw(wanted: Int, serving: Int?, status: APIStatus, reason: String?) -> Step? {
        let attempt = self.attempt
        guard wanted == attempt.version else { return .replaced }
        switch (self, status) {
        case (.live, _): return nil
        case (_, .live) where serving == attempt.version:
            self = .live(attempt)
            return .live
        case (.starting, .error), (.starting, .crashLoop), (.starting, .rolloutFailed), (.starting, .outOfMemory):
            self = .failing(attempt, reason: reason ?? status.label)
            return nil
        case (.failing(_, let reason), _):
            self = .failed(attempt)
            return .failed(reason: reason)
        case (.starting, _), (.failed, _): return nil
        }
    }
}

/// One version on its way, and what it is for.
struct DevAttempt: Equatable, Sendable {
    var version: Int
    /// What was saved; empty for the first of a session.
    var paths: [String]
    var began: ContinuousClock.Instant
}
