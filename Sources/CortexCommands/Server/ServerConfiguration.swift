package import CortexControlPlane

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

    package init(
        home: CortexHome,
        host: String = "127.0.0.1",
        port: Int = 8888,
        operatorPort: Int = 8889,
        logFormat: LogFormat = .auto
    ) {
        self.home = home
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
