import ArgumentParser
import CortexControlPlane
import Foundation
import NIOCore

/// `cortex server run`: the server in the foreground.
struct ServerRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the server in the foreground, until SIGTERM or Ctrl-C.",
        discussion: """
            Examples:
              cortex server run
              cortex server run --host 0.0.0.0 --log-format json
            """
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let home = try CortexHome(environment: environment)
        let configuration = try self.options.configuration(home: home, environment: environment)
        guard configuration.port == 0 || configuration.port != configuration.operatorPort else {
            throw CommandFailure(
                "the data port and the operator's port are both \(configuration.port)",
                hint: "give one another: --port or --operator-port",
                exitCode: 2
            )
        }
        let others = [configuration.port, configuration.operatorPort]
        if let tls = configuration.tls, tls.port != 0, others.contains(tls.port) {
            throw CommandFailure(
                "the port for HTTPS, \(tls.port), is the data port or the operator's port too",
                hint: "give it another: --tls-port",
                exitCode: 2
            )
        }
        try home.prepare()
        let lock = try HomeLock(home: home)
        let result: Result<Void, any Error>
        do {
            try PortCheck.data(configuration)
            try PortCheck.operator(configuration)
            try await runServer(configuration)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        ServerRecord.remove(in: home)
        lock.release()
        try result.get()
    }
}
