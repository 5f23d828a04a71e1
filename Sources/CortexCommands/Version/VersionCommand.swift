import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex version`.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the version of this program, and of the server where one runs.",
        discussion: """
            Examples:
              cortex version
              cortex version -o json
            """
    )

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    private struct Report: Encodable {
        var cli: String
        var server: String?
    }

    func run() async throws {
        let server = try await self.serverVersion()
        let console = Console.standard
        if self.output.output == .json {
            let report = Report(cli: CortexVersion.current, server: server)
            try console.printJSON(report)
        } else {
            console.print("cli version: \(CortexVersion.current)")
            if let server { console.print("server version: \(server)") }
        }
    }

    /// Nil where none runs on this machine.
    private func serverVersion() async throws -> String? {
        switch try self.environment.target() {
        case .local(let local): return local.running?.version
        case .remote(let entry): return try await entry.version(entry.client())
        }
    }
}
