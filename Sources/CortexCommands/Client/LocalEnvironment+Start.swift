import CortexControlPlane
import Foundation

extension LocalEnvironment {
    /// The server that runs, or one that is started now in the background.
    ///
    /// - Parameter arguments: Options for `cortex server run`; of no effect where a server runs already.
    func ensureServer(arguments: [String] = [], console: Console) async throws -> (record: ServerRecord, isNew: Bool) {
        if let record = self.running { return (record, false) }
        try self.home.prepare()
        let server = try BackgroundProcess(
            arguments: ["server", "run"] + arguments,
            log: self.home.serverLog
        )
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        // The record appears when every port is bound. Restoring large environments may come before that.
        for _ in 0..<1200 {
            progress.show("starting the server (pid \(server.pid), log \(self.home.serverLog))")
            if let record = self.running {
                // One that another command started at the same moment serves as well.
                return (record, record.pid == server.pid)
            }
            if let status = server.exitStatus() {
                // It may have lost against a server that another command started, which is then still coming up.
                if let record = self.running { return (record, false) }
                throw self.startFailure(status: status, from: server.logStart)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(
            "the server (pid \(server.pid)) was not ready within 60 seconds",
            hint: "its log is \(self.home.serverLog)",
            exitCode: 3
        )
    }

    private func startFailure(status: String, from offset: UInt64) -> CommandFailure {
        let file = FileHandle(forReadingAtPath: self.home.serverLog)
        try? file?.seek(toOffset: offset)
        let written = (try? file?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = written.split(separator: "\n").suffix(20)
        if lines.count == 1, let line = lines.first, line.hasPrefix("error: ") {
            return CommandFailure(String(line.dropFirst("error: ".count)))
        }
        let quoted = lines.map { "  \($0)" }.joined(separator: "\n")
        return CommandFailure(
            "the server ended while it started (\(status))" + (quoted.isEmpty ? "" : ":\n\(quoted)"),
            hint: "its log is \(self.home.serverLog)"
        )
    }
}
