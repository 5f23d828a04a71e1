import ArgumentParser

/// `cortex token revoke NAME`.
struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a token: the operator refuses it from now on.",
        discussion: """
            Examples:
              cortex token revoke ci
            """
    )

    @Argument(help: "The token's name, as in cortex token list.")
    var name: String

    @OptionGroup var environment: EnvironmentOptions

    func run() async throws {
        let console = Console.standard
        do {
            try await self.environment.connect(console: console).revokeToken(self.name)
            console.print("revoked the token \(self.name)")
        } catch let refusal as OperatorClient.Refusal {
            throw refusal.failure
        }
    }
}
