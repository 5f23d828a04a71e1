import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex gateway`: the process that clients of a cluster talk to.
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run a gateway of a cluster: it leads requests to the replicas of each API.",
        discussion: """
            `cortex cluster up` runs it in the cluster; without one it reads its routes from a file.

            Examples:
              cortex gateway
              cortex gateway --routes routes.json --port 9000
            """,
        shouldDisplay: false
    )

    @OptionGroup var options: PodOptions

    @Option(help: "A JSON file with the routes, read again when it changes, instead of those of the cluster.")
    var routes: String?

    @OptionGroup var tls: TLSOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let home = try CortexHome(environment: environment)
        var configuration = try self.options.configuration(
            home: home,
            environment: environment,
            drainDelay: .seconds(5)
        )
        configuration.tls = try self.tls.configuration(in: environment)
        try home.prepare()
        let file = self.routes.map { RoutesFile(path: $0) }
        // What cannot be read at all is told now; later, what is known stays.
        if let file { _ = try file.read() }
        try await runGateway(configuration, routes: file, environment: environment)
    }
}
