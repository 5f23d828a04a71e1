import ArgumentParser
import CortexControlPlane
import Foundation
import NIOCore

/// `cortex server stop`: ends the server once it has answered what it holds.
struct ServerStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the server; requests in flight are answered first.",
        discussion: """
            Examples:
              cortex server stop
              cortex server stop --timeout 5m
              cortex server stop --now
            """
    )

    @Option(help: "How long to wait for its end, such as 90s or 2m.")
    var timeout = WaitLimit(.seconds(60))

    @Flag(help: "End it at once: what is in flight is cut off.")
    var now = false

    func run() async throws {
        let console = Console.standard
        let environment = try LocalEnvironment()
        guard let record = environment.running else {
            console.print("no cortex server runs in \(environment.home.path)")
            return
        }
        try self.send(SIGTERM, to: record)
        // Another signal than the first, since two of a kind that come together are one.
        if self.now { try self.send(SIGINT, to: record) }
        let client = TokenStore.localToken(environment.home).map {
            OperatorClient(port: record.operatorPort, token: $0)
        }
        var progress = ProgressLine(console: console, quiet: .milliseconds(500))
        let start = ContinuousClock.now
        var nextLook = start
        while record.isAlive {
            guard ContinuousClock.now < start + self.timeout.duration else {
                progress.clear()
                throw CommandFailure(
                    "the server (pid \(record.pid)) has not ended within \(self.timeout)",
                    hint: "wait longer with --timeout, or cut off what it still answers: cortex server stop --now",
                    exitCode: 3
                )
            }
            if ContinuousClock.now >= nextLook {
                nextLook = .now + .seconds(1)
                let held = try? await client?.requestsInFlight()
                let what = Self.text(of: held ?? [])
                progress.show("the server (pid \(record.pid)) ends once it has answered \(what)")
            } else {
                progress.show()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        progress.clear()
        console.print("stopped the cortex server (pid \(record.pid))")
    }

    private func send(_ signal: Int32, to record: ServerRecord) throws {
        guard kill(record.pid, signal) == 0 || errno == ESRCH else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure("cannot stop the server (pid \(record.pid)): \(reason)")
        }
    }

    /// `2 requests of iris and 1 request of cats`; what it holds where that is not known, or nothing is left.
    static func text(of held: [(api: String, count: Int)]) -> String {
        let parts = held.filter { $0.count > 0 }.map { "\($0.count) request\($0.count == 1 ? "" : "s") of \($0.api)" }
        return parts.isEmpty ? "what it holds" : parts.formatted(.list(type: .and).locale(Locale(identifier: "en")))
    }
}

extension OperatorClient {
    /// Requests that are queued or run, by API; those of the server's own metrics.
    func requestsInFlight() async throws -> [(api: String, count: Int)] {
        let text = String(buffer: try await self.body(self.request("/metrics"), timeout: .seconds(1)))
        return Self.samples(of: "cortex_in_flight_requests", in: text)
    }

    /// The samples of a gauge whose only label is `api`.
    static func samples(of name: String, in text: String) -> [(api: String, count: Int)] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "\(name){api=", let value = parts[2].split(separator: " ").last else {
                return nil
            }
            return Double(value).map { (String(parts[1]), Int($0)) }
        }
    }
}
