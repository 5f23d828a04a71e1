/// Where this server's own workers reach its data port, and what the names of APIs lead them to.
package struct WorkerAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `127.88.0.1:8888`, `[::1]:9000`.
    package var description: String { "\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)" }
    package var url: String { "http://\(self)" }

    /// The port that documents name: `http://api-iris:8888/predict`.
    package static let usualPort = 8888
}
