import CortexControlPlane
import Foundation

extension LocalEnvironment {
    /// The server that runs, or one that is started now in the background.
    ///
    /// - Parameters:
    ///   - arguments: Options for `cortex server run`; of no effect where a server runs already.
    ///   - patience: How long to wait for the end of one that is shutting down; nil where that is not waited for.
    func ensureServer(
        arguments: [String] = [],
        patience: WaitLimit? = nil,
        console: Console
    ) async throws -> (record: ServerRecord, isNew: Bool) {
        if let record = self.running {
            guard record.isShuttingDown else { return (record, false) }
            guard let patience else {
                throw CommandFailure(
                    "the server (pid \(record.pid)) is shutting down",
                    hint: "`cortex server start` waits for its end, and starts it again"
                )
            }
            try await Self.waitForEnd(of: record, within: patience, console: console)
        }
        try self.home.prepare()
        let server = try BackgroundProcess(
            arguments: ["server", "run"] + arguments,
            log: self.home.serverLog
        )
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        // The record appears when every port is bound. Restoring large environments may come before that.
        var end: BackgroundProcess.End?
        for _ in 0..<1200 {
            progress.show("starting the server (pid \(server.pid), log \(self.home.serverLog))")
            if let record = self.running {
                // One that another command started at the same moment serves as well.
                return (record, record.pid == server.pid)
            }
            end = end ?? server.end()
            // It may have ended because another command starts a server at the same moment; that one is then waited for.
            if let end, !self.isServerStarting { throw self.startFailure(end, from: server.logStart) }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(
            "the server (pid \(server.pid)) was not ready within 60 seconds",
            hint: "its log is \(self.home.serverLog)",
            exitCode: 3
        )
    }

    /// Waits until a server that was told to end has ended.
    private static func waitForEnd(of record: ServerRecord, within limit: WaitLimit, console: Console) async throws {
        var progress = ProgressLine(console: console, quiet: .milliseconds(500))
        defer { progress.clear() }
        let deadline = ContinuousClock.now + limit.duration
        while record.isAlive {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    "the server (pid \(record.pid)) is still shutting down after \(limit), and none was started",
                    hint: "wait longer with --timeout, or cut off what it still answers: cortex server stop --now"
                )
            }
            progress.show("waiting for the end of the server (pid \(record.pid)), which is shutting down")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Whether a process holds the home, its record written or not.
    private var isServerStarting: Bool {
        do {
            let lock = try HomeLock(home: self.home)
            lock.release()
            return false
        } catch HomeLockError.held {
            return true
        } catch {
            return false
        }
    }

    private func startFailure(_ end: BackgroundProcess.End, from offset: UInt64) -> CommandFailure {
        let file = FileHandle(forReadingAtPath: self.home.serverLog)
        try? file?.seek(toOffset: offset)
        let written = (try? file?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = written.split(separator: "\n").suffix(20)
        // What the server has said of itself in the way of every command is passed on as it is.
        if let line = lines.first, line.hasPrefix("error: "), lines.dropFirst().allSatisfy({ $0.hasPrefix("  ") }) {
            let hint = lines.dropFirst().map { $0.dropFirst(2) }.joined(separator: "\n")
            return CommandFailure(
                String(line.dropFirst("error: ".count)),
                hint: hint.isEmpty ? nil : hint,
                exitCode: end.exitCode
            )
        }
        let quoted = lines.map { "  \($0)" }.joined(separator: "\n")
        return CommandFailure(
            "the server ended while it started (\(end))" + (quoted.isEmpty ? "" : ":\n\(quoted)"),
            hint: "its log is \(self.home.serverLog)",
            exitCode: end.exitCode
        )
    }
}
