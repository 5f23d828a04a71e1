import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex version`.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the version of this program, and of the server where one runs."
    )

    @OptionGroup var output: OutputOptions

    private struct Report: Encodable {
        var cli: String
        var server: String?
    }

    func run() async throws {
        let server = try LocalEnvironment().running?.version
        let console = Console.standard
        if self.output.output == .json {
            let report = Report(cli: CortexVersion.current, server: server)
            try console.printJSON(report)
        } else {
            console.print("cli version: \(CortexVersion.current)")
            if let server { console.print("server version: \(server)") }
        }
    }
}
