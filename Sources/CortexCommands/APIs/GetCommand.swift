import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex get [API]`: what is deployed.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show all APIs, or one of them.")

    @Argument(help: "The API's name; all APIs where it is left out.")
    var api: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let client = try await LocalEnvironment().connect()
        let apis: [APIResponse]
        if let api {
            guard let found = try await client.api(api) else { throw try await client.notDeployed(api) }
            apis = [found]
        } else {
            apis = try await client.apis()
        }
        if self.output.output == .json {
            try console.printJSON(apis)
        } else if self.api != nil, let found = apis.first {
            console.print(try APIPage(found).render(bold: console.usesColour))
        } else if apis.isEmpty {
            console.print("no apis are deployed")
        } else {
            console.print(APITable(apis, named: true).render(bold: console.usesColour))
        }
    }
}
