import ArgumentParser

/// `cortex token …`: who may talk to the operator.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Manage the operator's tokens: who may deploy.",
        discussion: """
            Examples:
              cortex token create ci > token
              cortex token revoke ci
            """,
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self]
    )
}
