import ArgumentParser

/// `cortex autoscale`: how replicas follow the load.
struct AutoscaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoscale",
        abstract: "See how replicas would follow a load.",
        discussion: """
            Examples:
              cortex autoscale simulate 0x60,8x300,80x600,8x600,0x900
            """,
        subcommands: [AutoscaleSimulate.self]
    )
}
