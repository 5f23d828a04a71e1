import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex env list`.
struct EnvList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the environments, tokens masked.",
        discussion: """
            Examples:
              cortex env list
              cortex env list -o json
            """
    )

    @OptionGroup var output: OutputOptions

    /// What `-o json` prints of each.
    private struct Report: Encodable {
        var name: String
        var isDefault: Bool
        var operatorEndpoint: String?
        var kubernetes: ClusterLocation?
        var token: String?

        private enum CodingKeys: String, CodingKey {
            case name, token, kubernetes
            case isDefault = "default"
            case operatorEndpoint = "operator_endpoint"
        }
    }

    func run() throws {
        let console = Console.standard
        let local = try LocalEnvironment()
        let file = try EnvironmentFile(home: local.home)
        let reports = file.names.map { name in
            let entry = file.entry(name)
            let own = entry == nil ? local.running.map { "http://127.0.0.1:\($0.operatorPort)" } : nil
            return Report(
                name: "\(name)",
                isDefault: name == file.defaultName,
                operatorEndpoint: entry?.place.endpoint.map { "\($0)" } ?? own,
                kubernetes: entry?.place.cluster,
                token: entry.map { Self.masked($0.token) }
            )
        }
        if self.output.output == .json { return try console.printJSON(reports) }
        var table = TextTable([
            .init("env"), .init("default"), .init("operator endpoint"), .init("token", dropOrder: 1),
        ])
        for report in reports {
            table.add([
                report.name, report.isDefault ? "yes" : "-",
                report.kubernetes?.description ?? report.operatorEndpoint ?? "- (no server runs on this machine)",
                report.token ?? "-",
            ])
        }
        console.print(table.render(bold: console.usesColour, width: console.size?.columns))
    }

    /// Enough to tell two tokens apart, and of no use to anyone.
    static func masked(_ token: String) -> String {
        token.count >= 16 ? "********\(token.suffix(4))" : "********"
    }
}
