import ArgumentParser

/// `cortex replica`: what runs in the pods of an API.
struct ReplicaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replica",
        abstract: "Prepare and run one replica of an API, in a pod of a cluster.",
        discussion: """
            The operator of a cluster starts both.

            Examples:
              cortex replica prepare
              cortex replica run
            """,
        shouldDisplay: false,
        subcommands: [ReplicaPrepareCommand.self, ReplicaRunCommand.self]
    )
}
