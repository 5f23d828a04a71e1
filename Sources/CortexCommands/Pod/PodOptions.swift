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

    @OptionGroup var drain: DrainOptions

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    func validate() throws {
        try PortNumber.check(self.port, of: "--port")
        try PortNumber.check(self.adminPort, of: "--admin-port")
    }

    /// The options with the environment and the defaults.
    func configuration(
        home: CortexHome,
        environment: [String: String],
        drainDelay: Duration
    ) throws -> ServerConfiguration {
        var configuration = ServerConfiguration(
            home: home,
            host: self.host ?? ServerVariable.text("CORTEX_HOST", in: environment) ?? "0.0.0.0",
            port: try self.port ?? PortNumber.variable("CORTEX_PORT", in: environment) ?? 8888,
            operatorPort: try self.adminPort ?? PortNumber.variable("CORTEX_ADMIN_PORT", in: environment) ?? 8889,
            logFormat: try self.logFormat ?? ServerVariable.choice("CORTEX_LOG_FORMAT", in: environment) ?? .json,
            accessLog: .off
        )
        try self.drain.apply(to: &configuration, environment: environment, delay: drainDelay)
        configuration.limits = try self.limits.limits(environment: environment)
        return configuration
    }
}
