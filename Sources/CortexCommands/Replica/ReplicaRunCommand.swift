import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex replica run`: one replica of an API, behind the gateways of a cluster.
struct ReplicaRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Serve one replica of an API, until SIGTERM; what keeps it from starting is told in the termination log.",
        discussion: """
            The operator of a cluster runs it, after `cortex replica prepare`.

            Examples:
              cortex replica run
            """
    )

    @OptionGroup var options: PodOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        do {
            let home = try CortexHome(environment: environment)
            var configuration = try self.options.configuration(
                home: home,
                environment: environment,
                drainDelay: .seconds(3)
            )
            configuration.toolHome = ReplicaPrepareCommand.toolHome(environment, home: home)
            configuration.isChaining = true
            try home.prepare()
            try await runReplica(configuration, environment: environment)
        } catch {
            TerminationLog(environment: environment).write(CommandFailure.text(of: error))
            throw error
        }
    }
}
