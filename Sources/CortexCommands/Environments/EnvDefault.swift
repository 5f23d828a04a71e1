import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex env default [NAME]`.
struct EnvDefault: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "default",
        abstract: "Show which environment is the default, or choose it.",
        discussion: """
            Examples:
              cortex env default
              cortex env default prod
            """
    )

    @Argument(help: "The environment's name; left out, the default one is told.")
    var name: String?

    func run() throws {
        let console = Console.standard
        var file = try EnvironmentFile(home: CortexHome(environment: ProcessInfo.processInfo.environment))
        guard let name = self.name else { return console.print("\(file.defaultName)") }
        let chosen = try EnvironmentName(name)
        guard chosen != file.defaultName else { return console.print("\(chosen) is the default environment already") }
        try file.setDefault(chosen)
        try file.save()
        console.print("set \(chosen) as the default environment")
    }
}
