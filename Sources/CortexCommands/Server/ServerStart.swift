import ArgumentParser
import CortexControlPlane
import CortexSpec
import Foundation

/// `cortex server start`: the server in the background.
struct ServerStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the server in the background, and wait until it is up.",
        discussion: """
            Examples:
              cortex server start
              cortex server start --wait
              cortex server start --port 9000 --operator-port 9001
            """
    )

    @OptionGroup var options: ServerOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Also wait until each API that was deployed is live or has failed.")
    var wait = false

    @Option(help: "How long to wait for the APIs, and for the end of a server that shuts down, such as 90s or 2m.")
    var timeout = WaitLimit(.seconds(300))

    func run() async throws {
        let console = Console.standard
        let environment = try LocalEnvironment()
        // Wrong options are told here and not in the server's log.
        _ = try self.options.configuration(home: environment.home, environment: ProcessInfo.processInfo.environment)
        let (record, isNew) = try await environment.ensureServer(
            arguments: self.options.arguments,
            patience: self.timeout,
            console: console
        )
        let client = try await environment.connect(to: record)
        if self.output.output == .json {
            try console.printJSON(ServerStatus.Report(record, home: environment.home))
        } else {
            let verb = isNew ? "started" : "runs already"
            console.print("cortex server \(verb) (pid \(record.pid)): http://localhost:\(record.port)")
        }
        var apis = try await client.apis()
        if self.wait { apis = try await self.settled(client, console: console) }
        if self.output.output != .json, !apis.isEmpty { console.print(Self.text(of: apis)) }
        if self.wait, apis.contains(where: { $0.status.code != .live }) { throw ExitCode(1) }
    }

    /// The APIs once none of them is on its way any more.
    private func settled(_ client: OperatorClient, console: Console) async throws -> [APIResponse] {
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        let deadline = ContinuousClock.now + self.timeout.duration
        while true {
            let apis = try await client.apis()
            let coming = apis.filter { $0.status.code == .updating }
            guard !coming.isEmpty else { return apis }
            let names = coming.map(\.spec.name.description).joined(separator: ", ")
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    "not up within \(self.timeout): \(names)",
                    hint: "`cortex get` shows how far they are",
                    exitCode: 3
                )
            }
            progress.show("waiting for \(names)")
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// `2 APIs are live, 1 is coming up (cortex get)`.
    static func text(of apis: [APIResponse]) -> String {
        let live = apis.count { $0.status.code == .live }
        let coming = apis.count { $0.status.code == .updating }
        var parts: [String] = []
        for (count, what) in [(live, "live"), (coming, "coming up"), (apis.count - live - coming, "failed")] {
            guard count > 0 else { continue }
            let noun = parts.isEmpty ? (count == 1 ? " API" : " APIs") : ""
            parts.append("\(count)\(noun) \(count == 1 ? "is" : "are") \(what)")
        }
        return parts.joined(separator: ", ") + (live == apis.count ? "" : "; `cortex get` shows them")
    }
}
