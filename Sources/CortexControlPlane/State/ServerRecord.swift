package import Foundation

/// What a running server leaves in `CORTEX_HOME/run/server.json`, so that the command line finds it.
///
/// Written when every listener is bound, removed at the end. After a crash it stays, and ``isAlive`` tells.
package struct ServerRecord: Hashable, Sendable, Codable {
    package var pid: Int32
    /// When the process started, in the system's own units; tells a pid from one that was used again.
    package var processStart: ProcessStart?
    package var startedAt: Date
    package var version: String
    package var home: String
    package var host: String
    package var port: Int
    package var operatorPort: Int
    /// The port for HTTPS; nil where there is none.
    package var tlsPort: Int?
    /// Where the names of APIs lead its workers, such as `127.88.0.1:8888`; nil where they lead nowhere.
    package var chainingAddress: String?
    /// True once it has been told to end: it finishes what it has, and takes no orders.
    private var shuttingDown: Bool?

    /// Whether it has been told to end.
    package var isShuttingDown: Bool {
        get { self.shuttingDown ?? false }
        set { self.shuttingDown = newValue ? true : nil }
    }

    /// The record of this process.
    package init(
        home: CortexHome,
        version: String,
        host: String,
        port: Int,
        operatorPort: Int,
        tlsPort: Int? = nil,
        startedAt: Date = Date()
    ) {
        self.pid = getpid()
        self.processStart = ProcessStart(pid: self.pid)
        self.startedAt = startedAt
        self.version = version
        self.home = home.path
        self.host = host
        self.port = port
        self.operatorPort = operatorPort
        self.tlsPort = tlsPort
    }

    private enum CodingKeys: String, CodingKey {
        case pid, version, home, host, port
        case processStart = "process_start"
        case startedAt = "started_at"
        case operatorPort = "operator_port"
        case tlsPort = "tls_port"
        case chainingAddress = "chaining_address"
        case shuttingDown = "shutting_down"
    }

    private static func file(in home: CortexHome) -> URL { URL(filePath: "\(home.run)/server.json") }

    /// Puts the record in place as a whole: a reader sees the old one or the new one.
    package func write(in home: CortexHome) throws {
        let file = Self.file(in: home)
        try StateJSON.encoder().encode(self).write(to: file, options: .atomic)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600],
            ofItemAtPath: file.path(percentEncoded: false)
        )
    }

    /// The record in `home`, whether or not its server still lives; nil where there is none that can be read.
    package static func read(in home: CortexHome) -> ServerRecord? {
        guard let data = try? Data(contentsOf: self.file(in: home)) else { return nil }
        return try? StateJSON.decoder().decode(ServerRecord.self, from: data)
    }

    /// Takes the record away, if it is this process's own.
    package static func remove(in home: CortexHome) {
        guard let record = self.read(in: home), record.pid == getpid() else { return }
        try? FileManager.default.removeItem(at: self.file(in: home))
    }

    /// Whether the process that wrote the record still runs.
    package var isAlive: Bool {
        guard kill(self.pid, 0) == 0 || errno == EPERM else { return false }
        guard let recorded = self.processStart else { return true }
        return ProcessStart(pid: self.pid) == recorded
    }
}
