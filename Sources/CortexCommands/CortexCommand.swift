package import ArgumentParser
import CortexControlPlane
import Foundation

/// The root of the command line.
package struct CortexCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cortex",
        abstract: "Serve machine-learning models.",
        version: CortexVersion.current,
        subcommands: [
            DeployCommand.self, GetCommand.self, LogsCommand.self, PredictCommand.self, DeleteCommand.self,
            ServerCommand.self, VersionCommand.self,
        ]
    )

    package init() {}

    /// Parses and runs a command line.
    /// - Parameter arguments: Without the program's own name.
    /// - Returns: 0 done, 1 failed, 2 wrong usage, 3 not ready in time.
    package static func main(arguments: [String]) async -> Int32 {
        let console = Console.standard
        do {
            var command = try Self.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as CommandFailure {
            console.error(failure)
            return failure.exitCode
        } catch let exit as ExitCode {
            return exit.rawValue
        } catch {
            return self.report(error, on: console)
        }
    }

    private static func report(_ error: any Error, on console: Console) -> Int32 {
        switch self.exitCode(for: error) {
        case .success:
            console.print(self.fullMessage(for: error))
            return 0
        case .validationFailure:
            console.note(self.fullMessage(for: error).replacingOccurrences(of: "Error: ", with: "error: "))
            return 2
        default:
            console.error(CommandFailure("\(Self.text(of: error))"))
            return 1
        }
    }

    /// Errors of this program describe themselves; Foundation's have a text for people elsewhere.
    private static func text(of error: any Error) -> String {
        error is CocoaError ? error.localizedDescription : "\(error)"
    }
}
