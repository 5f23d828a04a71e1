import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex server stop`: ends the server once it has answered what it holds.
struct ServerStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the server; requests in flight are answered first.",
        discussion: """
            Examples:
              cortex server stop
              cortex server stop --timeout 5m
            """
    )

    @Option(help: "How long to wait for its end, such as 90s or 2m.")
    var timeout = WaitLimit(.seconds(60))

    func run() async throws {
        let console = Console.standard
        let environment = try LocalEnvironment()
        guard let record = environment.running else {
            console.print("no cortex server runs in \(environment.home.path)")
            return
        }
        guard kill(record.pid, SIGTERM) == 0 || errno == ESRCH else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure("cannot stop the server (pid \(record.pid)): \(reason)")
        }
        var progress = ProgressLine(console: console)
        let deadline = ContinuousClock.now + self.timeout.duration
        while record.isAlive {
            guard ContinuousClock.now < deadline else {
                progress.clear()
                throw CommandFailure(
                    "the server (pid \(record.pid)) has not ended within \(self.timeout)",
                    hint: "it may still answer requests; wait longer with --timeout, or end it: kill -9 \(record.pid)",
                    exitCode: 3
                )
            }
            progress.show("waiting for the server (pid \(record.pid)) to answer what it holds")
            try await Task.sleep(for: .milliseconds(50))
        }
        progress.clear()
        console.print("stopped the cortex server (pid \(record.pid))")
    }
}
