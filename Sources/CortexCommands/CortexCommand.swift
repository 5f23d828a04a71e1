package import ArgumentParser
import AsyncHTTPClient
import CortexControlPlane
import Foundation
import NIOCore
import NIOPosix

/// The root of the command line.
package struct CortexCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cortex",
        abstract: "Serve machine-learning models.",
        discussion: """
            Examples:
              cortex init hello
              cortex dev hello/cortex.yaml
              cortex deploy hello/cortex.yaml
              cortex get

            A command may be cut short where that names one only: cortex dep.
            """,
        version: CortexVersion.current,
        subcommands: [
            InitCommand.self, ValidateCommand.self, DevCommand.self, DeployCommand.self, GetCommand.self,
            DescribeCommand.self, LogsCommand.self, PredictCommand.self, RefreshCommand.self, RollbackCommand.self,
            DeleteCommand.self, AutoscaleCommand.self, PruneCommand.self, ServerCommand.self, ClusterCommand.self,
            EnvCommand.self, TokenCommand.self, OperatorCommand.self, GatewayCommand.self, ReplicaCommand.self,
            CompletionCommand.self, VersionCommand.self,
        ]
    )

    package init() {}

    /// Parses and runs a command line.
    /// - Parameter arguments: Without the program's own name.
    /// - Returns: 0 done, 1 failed, 2 wrong usage, 3 not ready in time.
    package static func main(arguments: [String]) async -> Int32 {
        let console = Console.standard
        // A reader that has gone is told by `write`, which `Console` answers; the signal would end us with a failure.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Self.parseAsRoot(Self.expanded(arguments))
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

    /// The command line with its first word written out, where that is the beginning of one command only.
    static func expanded(_ arguments: [String]) -> [String] {
        guard let word = arguments.first, !word.isEmpty else { return arguments }
        let names = self.configuration.subcommands.compactMap { $0.configuration.commandName }
        // What a cluster's pods run is not typed by anybody.
        let typed = self.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        let matches = typed.compactMap { $0.configuration.commandName }.filter { $0.hasPrefix(word) }
        guard !names.contains(word), let match = matches.first, matches.count == 1 else { return arguments }
        return [match] + arguments.dropFirst()
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
        switch error {
        case is CocoaError: error.localizedDescription
        case is HTTPClientError, is NIOConnectionError, is IOError:
            "the server could not be asked: \(ConnectionFailure(error))"
        default: "\(error)"
        }
    }
}
