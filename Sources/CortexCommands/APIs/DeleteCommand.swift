import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex delete API`.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Take an API away; requests in flight are answered first.",
        discussion: """
            Examples:
              cortex delete iris
              cortex delete iris --env prod
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Flag(name: .shortAndLong, help: "Accepted for scripts of earlier versions; there is no question to skip.")
    var force = false

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        do {
            let answer = try await client.delete(self.api)
            if self.output.output == .json {
                try console.printJSON(answer)
            } else {
                console.print(answer["message"] ?? "deleting \(self.api)")
            }
        } catch let refusal as OperatorClient.Refusal {
            guard refusal.response.code != "API_NOT_FOUND" else { throw try await client.notDeployed(self.api) }
            throw refusal.failure
        }
    }
}
