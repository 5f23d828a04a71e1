import Logging

/// Tells once where a pod's process serves, when both ports are bound: what tests, and people who try it out, wait for.
actor PodPorts {
    private let host: String
    private let dataPort: Int
    private let logger: Logger

    init(host: String, dataPort: Int, logger: Logger) {
        self.host = host
        self.dataPort = dataPort
        self.logger = logger
    }

    func adminBound(to port: Int) {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        self.logger.info(
            "serving",
            metadata: ["data": "http://\(host):\(self.dataPort)", "admin": "http://\(host):\(port)"]
        )
    }
}
