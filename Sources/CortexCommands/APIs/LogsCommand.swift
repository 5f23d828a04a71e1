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
              cortex logs iris --request 0193a5b2-7c31-7def-8123-0123456789ab
              cortex logs iris -o json | jq 'select(.level == "error")'
            """
    )

    private static let most = 1_000_000

    @Argument(help: "The API's name.")
    var api: String

    @Flag(name: .shortAndLong, help: "Go on with lines to come, until Ctrl-C.")
    var follow = false

    @Option(
        parsing: .unconditional,
        help: "At most this many lines that are there already (1000; with --request, of the whole log)."
    )
    var last: Int?

    @Option(help: "Only what this request wrote: its id is in the X-Request-ID of its answer.")
    var request: String?

    @Option(name: .shortAndLong, help: "How lines are printed: pretty, or json: one object a line, as they are kept.")
    var output: OutputFormat = .pretty

    @OptionGroup var environment: EnvironmentOptions

    func validate() throws {
        if let last, !(0...Self.most).contains(last) {
            throw ValidationError("--last is \(last); allowed are 0 to \(Self.most)")
        }
    }

    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        // Ctrl-C is how following ends well.
        if self.follow { signal(SIGINT) { _ in _exit(0) } }
        do {
            let last = self.last ?? (self.request == nil ? 1000 : Self.most)
            var isAnyShown = false
            let asJSON = self.output == .json
            var filter = self.request.map { LogRequestFilter(requestID: $0, asJSON: asJSON) }
            for try await buffer in try await client.logs(
                of: self.api,
                last: last,
                follow: self.follow,
                asJSON: asJSON
            ) {
                if let lines = filter?.take(buffer.readableBytesView) {
                    for line in lines { console.print(line) }
                    isAnyShown = isAnyShown || !lines.isEmpty
                } else {
                    console.write(buffer.readableBytesView)
                }
            }
            if let request, !isAnyShown {
                console.note("the log of \(self.api) has nothing that the request \(request) wrote")
            }
        } catch let refusal as OperatorClient.Refusal {
            guard refusal.response.code != "API_NOT_FOUND" else { throw try await client.notDeployed(self.api) }
            throw refusal.failure
        }
    }
}
