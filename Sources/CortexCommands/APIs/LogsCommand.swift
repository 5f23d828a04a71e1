import ArgumentParser
import AsyncHTTPClient
import CortexControlPlane
import Foundation
import NIOCore

/// `cortex logs API`: what an API's processes wrote.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print the log of an API.",
        discussion: """
            Examples:
              cortex logs iris
              cortex logs iris --follow --last 20
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Flag(name: .shortAndLong, help: "Go on with lines to come, until Ctrl-C.")
    var follow = false

    @Option(help: "At most this many lines that are there already.")
    var last = 1000

    @OptionGroup var environment: EnvironmentOptions

    func validate() throws {
        guard (0...1_000_000).contains(self.last) else {
            throw ValidationError("--last is \(self.last); allowed are 0 to 1000000")
        }
    }

    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        // Ctrl-C is how following ends well.
        if self.follow { signal(SIGINT) { _ in _exit(0) } }
        do {
            for try await buffer in try await client.logs(of: self.api, last: self.last, follow: self.follow) {
                console.write(buffer.readableBytesView)
            }
        } catch let refusal as OperatorClient.Refusal {
            guard refusal.response.code != "API_NOT_FOUND" else { throw try await client.notDeployed(self.api) }
            throw refusal.failure
        }
    }
}
