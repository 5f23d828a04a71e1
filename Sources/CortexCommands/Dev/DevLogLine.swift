import Foundation

/// A line of an API's log, as far as it is shown.
struct DevLogLine: Decodable, Sendable {
    var level: String
    var message: String
    var version: Int
    var worker: String?
    /// `stdout`, `stderr`, `worker`, `cortex` or `environment`.
    var stream: String?

    init?(_ json: String) {
        guard let line = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else { return nil }
        self = line
    }

    /// Whether the server wrote it, and not a worker.
    var isOfServer: Bool { self.stream == "cortex" }

    /// Whether the server tells that a worker which could not be started is started once more.
    ///
    /// Of a version that does not serve yet, this is all that it warns of and names a worker in.
    var isOfRetry: Bool { self.isOfServer && self.level == "warning" && !(self.worker ?? "").isEmpty }

    /// What a build says is shown while it runs; the server's own steps are told in other words.
    ///
    /// - Parameter isLive: Whether its version serves, or has.
    func isShown(isLive: Bool) -> Bool {
        switch self.stream {
        case "environment": false
        case "cortex" where isLive: self.level != "info"
        case "cortex": self.level == "error" && self.worker != nil
        default: true
        }
    }
}
