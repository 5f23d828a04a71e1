/// What of an API's log helps beside the reason why a version of it could not be started.
enum FailureExcerpt {
    /// - Parameters:
    ///   - log: The last lines of the log, as text.
    ///   - reason: As the server tells it: a sentence; of a failed build its last lines too.
    static func lines(of log: String, version: Int, besides reason: String) -> [Substring] {
        var lines = log.split(separator: "\n")[...]
        if let start = lines.lastIndex(where: { $0.hasSuffix(" starting version \(version)") }) {
            // In a cluster each line names its replica, and others wrote meanwhile.
            let replica = lines[start].hasPrefix("[") ? lines[start].prefix { $0 != "]" } + "] " : ""
            lines = lines[(start + 1)...].filter { $0.hasPrefix(replica) }.map { $0.dropFirst(replica.count) }[...]
        }
        // The log says it too.
        if let end = lines.lastIndex(where: { $0.contains(" version \(version) could not be started: ") }) {
            lines = lines[..<end]
        }
        // The reason has the end of what was printed, unless it is an exception, whose frames are in the log only.
        let hasOutput = reason.contains("\n") && !lines.contains { $0.contains("Traceback (most recent call last)") }
        return hasOutput ? [] : Array(lines)
    }

    /// The first line of a reason, where there is room for no more.
    static func headline(of reason: String) -> String {
        reason.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? reason
    }
}
