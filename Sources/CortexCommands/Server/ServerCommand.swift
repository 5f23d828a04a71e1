import ArgumentParser

/// `cortex server`: the process that serves.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run, start, stop and look at the server of this machine.",
        discussion: """
            Examples:
              cortex server start
              cortex server status
            """,
        subcommands: [ServerRun.self, ServerStart.self, ServerStop.self, ServerStatus.self]
    )
}
