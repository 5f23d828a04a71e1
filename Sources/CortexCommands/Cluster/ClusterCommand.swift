import ArgumentParser

/// `cortex cluster …`: Cortex on Kubernetes.
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Set Cortex up on a Kubernetes cluster, which `deploy -e NAME` then deploys to.",
        discussion: """
            Works through kubectl, on the cluster that it reaches.

            Examples:
              cortex cluster up --image registry.example.com/cortex:0.1.0
              cortex cluster info
              cortex cluster down
            """,
        subcommands: [ClusterUp.self, ClusterInfo.self, ClusterDown.self]
    )
}
