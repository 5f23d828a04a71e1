import ArgumentParser

/// `cortex token create NAME`.
struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token and print it, this once.",
        discussion: """
            Examples:
              cortex token create ci > token
              cortex token create ci -o json
            """
    )

    @Argument(help: "Whose token it is, such as ci; deploys are recorded under this name.")
    var name: String

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        do {
            let issued = try await self.environment.connect(console: console).createToken(self.name)
            if self.output.output == .json { return try console.printJSON(issued) }
            console.print(issued.token)
            if console.errorsAreTerminal { console.note("keep it: it is not shown again") }
        } catch let refusal as OperatorClient.Refusal {
            throw refusal.failure
        }
    }
}
