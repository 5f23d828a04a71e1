import ArgumentParser
import CortexControlPlane
import Foundation

/// What the commands that start a server take.
///
/// A flag wins over the environment, and that over the default.
struct ServerOptions: ParsableArguments {
    @Option(help: "The address that predictions are served on (CORTEX_HOST; default 127.0.0.1).")
    var host: String?

    @Option(help: "The port that predictions are served on; 0 takes a free one (CORTEX_PORT; default 8888).")
    var port: Int?

    @Option(help: "The operator's port, on loopback; 0 takes a free one (CORTEX_OPERATOR_PORT; default 8889).")
    var operatorPort: Int?

    @Option(help: "How log lines look: auto, text or json (CORTEX_LOG_FORMAT; default auto).")
    var logFormat: LogFormat?

    @Option(
        help: """
            Whether a line for each request is shown on standard error too: auto (on a terminal), on or off
            (CORTEX_ACCESS_LOG; default auto).
            """
    )
    var accessLog: AccessLog?

    @OptionGroup var drain: DrainOptions

    @Flag(help: "Leave names such as api-iris alone in predictors, and open no port for them (CORTEX_CHAINING=0).")
    var noChaining = false

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @OptionGroup var tls: TLSOptions

    func validate() throws {
        try PortNumber.check(self.port, of: "--port")
        try PortNumber.check(self.operatorPort, of: "--operator-port")
        if let host, host.isEmpty { throw ValidationError("--host is empty; name an address, such as 0.0.0.0") }
    }

    /// The options with the environment and the defaults.
    func configuration(home: CortexHome, environment: [String: String]) throws -> ServerConfiguration {
        var configuration = ServerConfiguration(
            home: home,
            host: self.host ?? ServerVariable.text("CORTEX_HOST", in: environment) ?? "127.0.0.1",
            port: try self.port ?? PortNumber.variable("CORTEX_PORT", in: environment) ?? 8888,
            operatorPort: try self.operatorPort ?? PortNumber.variable("CORTEX_OPERATOR_PORT", in: environment) ?? 8889,
            logFormat: try self.logFormat ?? ServerVariable.choice("CORTEX_LOG_FORMAT", in: environment) ?? .auto,
            accessLog: try self.accessLog ?? ServerVariable.choice("CORTEX_ACCESS_LOG", in: environment) ?? .auto
        )
        try self.drain.apply(to: &configuration, environment: environment)
        configuration.limits = try self.limits.limits(environment: environment)
        let isOn = try ServerVariable.isOn("CORTEX_CHAINING", in: environment) ?? true
        configuration.isChaining = isOn && !self.noChaining
        configuration.tls = try self.tls.configuration(in: environment)
        return configuration
    }

    /// The options as another command line would take them.
    var arguments: [String] {
        var arguments: [String] = []
        if let host { arguments += ["--host", host] }
        if let port { arguments += ["--port", "\(port)"] }
        if let operatorPort { arguments += ["--operator-port", "\(operatorPort)"] }
        if let logFormat { arguments += ["--log-format", logFormat.rawValue] }
        if let accessLog { arguments += ["--access-log", accessLog.rawValue] }
        arguments += self.drain.arguments
        if self.noChaining { arguments.append("--no-chaining") }
        arguments += self.tls.arguments
        return arguments + self.limits.arguments
    }
}

extension LogFormat: ExpressibleByArgument {}
extension AccessLog: ExpressibleByArgument {}
