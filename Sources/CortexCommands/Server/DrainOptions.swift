import ArgumentParser

/// How long a process takes its leave; a flag wins over the environment.
struct DrainOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            How long requests are still taken once it is to end, such as 5s (CORTEX_DRAIN_DELAY; default 200ms, more in
            a pod).
            """,
        transform: { try Pause(checking: $0) }
    )
    var drainDelay: Pause?

    @Option(
        parsing: .unconditional,
        help: "How long those in flight may then take, such as 2m (CORTEX_DRAIN_GRACE; default 30s).",
        transform: { try Pause(checking: $0) }
    )
    var drainGrace: Pause?

    /// Puts what was asked for into the configuration.
    /// - Parameter delay: Where nobody says how long requests are still taken; nil for the gateway's own.
    func apply(
        to configuration: inout ServerConfiguration,
        environment: [String: String],
        delay: Duration? = nil
    ) throws {
        configuration.drainDelay =
            try self.drainDelay?.duration ?? ServerVariable.pause("CORTEX_DRAIN_DELAY", in: environment) ?? delay
        configuration.drainGrace =
            try self.drainGrace?.duration ?? ServerVariable.pause("CORTEX_DRAIN_GRACE", in: environment)
    }

    /// The options as another command line would take them.
    var arguments: [String] {
        var arguments: [String] = []
        if let drainDelay { arguments += ["--drain-delay", "\(drainDelay)"] }
        if let drainGrace { arguments += ["--drain-grace", "\(drainGrace)"] }
        return arguments
    }
}
