import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex describe API`: all that is known of one API.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show all that is known of an API: status, versions, deployments, events, configuration.",
        discussion: """
            Examples:
              cortex describe iris
              cortex describe iris -o json
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        guard let found = try await client.api(self.api) else { throw try await client.notDeployed(self.api) }
        do {
            let description = APIDescription(
                api: found,
                deployments: try await client.deployments(of: self.api),
                events: try await client.events(of: self.api, after: 0)
            )
            if self.output.output == .json {
                try console.printJSON(description)
            } else {
                console.print(try description.render(bold: console.usesColour, width: console.size?.columns))
            }
        } catch let refusal as OperatorClient.Refusal {
            // Deleted between two questions.
            guard refusal.response.code != "API_NOT_FOUND" else { throw try await client.notDeployed(self.api) }
            throw refusal.failure
        }
    }
}
