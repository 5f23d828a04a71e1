/// The state of an API as users see it.
package enum APIStatus: String, Hashable, Sendable, Codable, CaseIterable {
    case live = "status_live"
    case updating = "status_updating"
    case error = "status_error"
    /// Its workers end again and again, soon after they are started.
    case crashLoop = "status_crash_loop"
    case outOfMemory = "status_oom"
    /// It waits for devices that other APIs have.
    case computeUnavailable = "status_stalled"
    /// The newest version failed to start, and the one before it still answers.
    case rolloutFailed = "status_rollout_failed"

    /// The words that `cortex get` shows.
    package var label: String {
        switch self {
        case .live: "live"
        case .updating: "updating"
        case .error: "error"
        case .crashLoop: "error (crash loop)"
        case .outOfMemory: "error (out of memory)"
        case .computeUnavailable: "compute unavailable"
        case .rolloutFailed: "error (previous version serving)"
        }
    }
}
