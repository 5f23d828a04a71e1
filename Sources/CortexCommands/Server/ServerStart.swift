import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex server start`: the server in the background.
struct ServerStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the server in the background, and wait until it is up.",
        discussion: """
            Examples:
              cortex server start
              cortex server start --port 9000 --operator-port 9001
            """
    )

    @OptionGroup var options: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let environment = try LocalEnvironment()
        // Wrong options are told here and not in the server's log.
        _ = try self.options.configuration(home: environment.home, environment: ProcessInfo.processInfo.environment)
        let (record, isNew) = try await environment.ensureServer(arguments: self.options.arguments, console: console)
        _ = try await environment.connect(to: record)
        if self.output.output == .json {
            try console.printJSON(ServerStatus.Report(record, home: environment.home))
        } else {
            let verb = isNew ? "started" : "runs already"
            console.print("cortex server \(verb) (pid \(record.pid)): http://localhost:\(record.port)")
        }
    }
}
