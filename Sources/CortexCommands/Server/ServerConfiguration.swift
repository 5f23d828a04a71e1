package import CortexControlPlane
package import Logging

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
    /// What the server says of itself on standard error.
    package var logLevel = Logger.Level.info
    /// The home whose Python environments and tools are used; ``home`` itself unless another is named.
    package var toolHome: CortexHome
    /// How long requests are still taken after a shutdown was asked for; nil for the gateway's own.
    package var drainDelay: Duration?

    package init(
        home: CortexHome,
        host: String = "127.0.0.1",
        port: Int = 8888,
        operatorPort: Int = 8889,
        logFormat: LogFormat = .auto
    ) {
        self.home = home
        self.toolHome = home
        self.host = host
        self.port = port
        self.operatorPort = operatorPort
        self.logFormat = logFormat
    }
}

/// How log lines look.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Text on a terminal, JSON otherwise.
    case auto
    case text
    case json
}
