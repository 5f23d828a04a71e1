import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex env delete NAME`.
struct EnvDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Forget an environment; what is deployed there stays.",
        discussion: """
            Examples:
              cortex env delete prod
            """
    )

    @Argument(help: "The environment's name.")
    var name: String

    func run() throws {
        let console = Console.standard
        let name = try EnvironmentName(self.name)
        guard name != .local else {
            throw CommandFailure("local is the server of this machine, and cannot be deleted", exitCode: 2)
        }
        var file = try EnvironmentFile(home: CortexHome(environment: ProcessInfo.processInfo.environment))
        let wasDefault = file.defaultName == name
        guard file.remove(name) else { throw file.unknown(name) }
        try file.save()
        console.print("deleted the configuration of the environment \(name)")
        if wasDefault { console.print("the default environment is local again") }
    }
}
