import ArgumentParser
import CortexControlPlane
import CortexSpec

/// What the processes take that run in a cluster's pods.
///
/// A flag wins over the environment, and that over the default.
struct PodOptions: ParsableArguments {
    @Option(help: "The address that both ports bind (CORTEX_HOST; default 0.0.0.0).")
    var host: String?

    @Option(help: "The port that predictions are served on; 0 takes a free one (CORTEX_PORT; default 8888).")
    var port: Int?

    @Option(
        help: "The port for /livez, /readyz and /metrics; 0 takes a free one (CORTEX_ADMIN_PORT; default 8889)."
    )
    var adminPort: Int?

    @Option(help: "How log lines look: auto, text or json (CORTEX_LOG_FORMAT; default json).")
    var logFormat: LogFormat?

    @Option(
        parsing: .unconditional,
        help: "How long requests are still taken once it is to end, such as 5s (CORTEX_DRAIN_DELAY).",
        transform: { try Pause(checking: $0) }
    )
    var drainDelay: Pause?

    @Option(
        parsing: .unconditional,
        help: "How long those in flight may then take, such as 2m (CORTEX_DRAIN_GRACE; default 30s).",
        transform: { try Pause(checking: $0) }
    )
    var drainGrace: Pause?

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    func validate() throws {
        for (name, port) in [("--port", self.port), ("--admin-port", self.adminPort)] {
            if let port, !(0...65535).contains(port) {
                throw ValidationError("\(name) is \(port); allowed are 0 to 65535")
            }
        }
    }

    /// The options with the environment and the defaults.
    func configuration(
        home: CortexHome,
        environment: [String: String],
        drainDelay: Duration
    ) throws -> ServerConfiguration {
        typealias Variable = ServerVariable
        var configuration = ServerConfiguration(
            home: home,
            host: self.host ?? Variable.text("CORTEX_HOST", in: environment) ?? "0.0.0.0",
            port: try self.port ?? Variable.count("CORTEX_PORT", in: 0...65535, of: environment) ?? 8888,
            operatorPort: try self.adminPort ?? Variable.count("CORTEX_ADMIN_PORT", in: 0...65535, of: environment)
                ?? 8889,
            logFormat: try self.logFormat ?? Variable.choice("CORTEX_LOG_FORMAT", in: environment) ?? .json,
            accessLog: .off
        )
        configuration.drainDelay =
            try self.drainDelay?.duration ?? Variable.pause("CORTEX_DRAIN_DELAY", in: environment) ?? drainDelay
        configuration.drainGrace =
            try self.drainGrace?.duration ?? Variable.pause("CORTEX_DRAIN_GRACE", in: environment)
        configuration.limits = try self.limits.limits(environment: environment)
        return configuration
    }
}
