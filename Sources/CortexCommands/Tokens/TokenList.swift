import ArgumentParser
import Foundation

/// `cortex token list`.
struct TokenList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the operator's tokens by their names.",
        discussion: """
            Examples:
              cortex token list
              cortex token list -o json
            """
    )

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        do {
            let tokens = try await self.environment.connect(console: console).tokens()
            if self.output.output == .json { return try console.printJSON(tokens) }
            var table = TextTable([.init("token"), .init("created"), .init("state")])
            for token in tokens {
                let state = token.revokedAt.map { "revoked \(Age(since: $0)) ago" } ?? "in force"
                table.add([token.name, "\(Age(since: token.createdAt)) ago", state])
            }
            console.print(table.render(bold: console.usesColour, width: console.size?.columns))
        } catch let refusal as OperatorClient.Refusal {
            throw refusal.failure
        }
    }
}
