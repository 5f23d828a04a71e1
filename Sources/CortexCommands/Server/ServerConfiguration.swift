package import CortexControlPlane
package import Logging

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What `cortex server run` was asked for, once flags, environment and defaults are settled.
package struct ServerConfiguration: Hashable, Sendable {
    /// Prepared and locked for this process by `server run` itself.
    package var home: CortexHome
    /// The address that the data port binds.
    package var host: String
    /// The data port; 0 takes a free one.
    package var port: Int
    /// The admin port, always on loopback; 0 takes a free one.
    package var operatorPort: Int
    package var logFormat: LogFormat
    package var accessLog: AccessLog
    /// Nil where HTTPS is not asked for.
    package var tls: TLSServerConfiguration?
    /// Whether predictors find the other APIs under their names.
    package var isChaining = true
    /// What the server says of itself on standard error.
    package var logLevel = Logger.Level.info
    /// The home whose Python environments and tools are used; ``home`` itself unless another is named.
    package var toolHome: CortexHome
    package var limits = ServerLimits()
    /// How long requests are still taken after a shutdown was asked for; nil for the gateway's own.
    package var drainDelay: Duration?
    /// How long those in flight may then take; nil for the gateway's own.
    package var drainGrace: Duration?

    package init(
        home: CortexHome,
        host: String = "127.0.0.1",
        port: Int = 8888,
        operatorPort: Int = 8889,
        logFormat: LogFormat = .auto,
        accessLog: AccessLog = .auto
    ) {
        self.home = home
        self.toolHome = home
        self.host = host
        self.port = port
        self.operatorPort = operatorPort
        self.logFormat = logFormat
        self.accessLog = accessLog
    }
}

/// Whether access lines are shown on standard error; in `logs/access.log` they are always.
package enum AccessLog: String, Hashable, Sendable, CaseIterable {
    /// On a terminal.
    case auto
    case on
    case off

    var isShown: Bool { self == .on || self == .auto && isatty(2) == 1 }
}

/// How log lines look.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Text on a terminal, JSON otherwise.
    case auto
    case text
    case json
}
