import ArgumentParser

/// `cortex env …`: the operators that the command line knows.
struct EnvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Manage environments: the servers that commands talk to.",
        discussion: """
            The environment `local` is the server of this machine, and always there.

            Examples:
              cortex env configure prod --operator-endpoint https://cortex.example.com --token-file token
              cortex env list
            """,
        subcommands: [EnvConfigure.self, EnvList.self, EnvDefault.self, EnvDelete.self]
    )
}
