/// What a build tells while it runs.
package enum BuildProgress: Hashable, Sendable {
    /// One of few: an event of the deployment, shown and recorded ("installing 34 packages (412 MiB)").
    case step(String)
    /// Passing: shown while it is true ("downloading tensorflow-cpu, 210 of 260 MiB"), and not recorded.
    case status(String)
    /// A line of a tool: for the log only.
    case line(String)

    /// Whether it is soon untrue, and so nothing for a log.
    package var isPassing: Bool {
        if case .status = self { true } else { false }
    }

    /// In words, whatever their weight.
    package var text: String {
        switch self {
        case .step(let text), .status(let text), .line(let text): text
        }
    }
}
