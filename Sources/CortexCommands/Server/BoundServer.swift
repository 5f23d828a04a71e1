import CortexControlPlane
import Logging

/// Writes the server's record once all ports are bound, since that is what tells clients of it.
actor BoundServer {
    private let configuration: ServerConfiguration
    private let port: Int
    private let tlsPort: Int?
    private let chainingAddress: String?
    private let logger: Logger
    private(set) var record: ServerRecord?
    private var isShuttingDown = false
    /// Told once, when the record is there.
    private let (records, tell) = AsyncStream.makeStream(of: ServerRecord.self, bufferingPolicy: .bufferingNewest(1))

    init(configuration: ServerConfiguration, port: Int, tlsPort: Int?, chainingAddress: String?, logger: Logger) {
        self.configuration = configuration
        self.port = port
        self.tlsPort = tlsPort
        self.chainingAddress = chainingAddress
        self.logger = logger
    }

    /// The record, once both ports are bound; nil where the task is cancelled before.
    ///
    /// To be called once.
    nonisolated func next() async -> ServerRecord? {
        await self.records.first { _ in true }
    }

    /// From here on commands are told so.
    func beganShutdown() {
        self.isShuttingDown = true
        guard var record = self.record else { return }
        record.isShuttingDown = true
        self.write(record)
    }

    private func write(_ record: ServerRecord) {
        self.record = record
        do {
            try record.write(in: self.configuration.home)
        } catch {
            self.logger.error("the server's record cannot be written", metadata: ["error": "\(error)"])
        }
    }

    func operatorBound(to operatorPort: Int) {
        var record = ServerRecord(
            home: self.configuration.home,
            version: CortexVersion.current,
            host: self.configuration.host,
            port: self.port,
            operatorPort: operatorPort,
            tlsPort: self.tlsPort
        )
        record.chainingAddress = self.chainingAddress
        record.isShuttingDown = self.isShuttingDown
        self.write(record)
        self.tell.yield(record)
        let host = self.configuration.host
        let tls = self.tlsPort.map { "https://\(host.contains(":") ? "[\(host)]" : host):\($0)" }
        self.logger.info(
            "serving",
            metadata: [
                "https": "\(tls ?? "off")",
                "chaining": "\(self.chainingAddress ?? "off")",
                "data": "http://\(host.contains(":") ? "[\(host)]" : host):\(self.port)",
                "operator": "http://127.0.0.1:\(operatorPort)",
                "home": "\(self.configuration.home.path)",
                "pid": "\(record.pid)",
            ]
        )
    }
}
