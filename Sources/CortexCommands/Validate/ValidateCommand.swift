import ArgumentParser
import CortexControlPlane
import CortexSpec
import Foundation

/// `cortex validate [CONFIG]`: what a deploy would refuse, told without a server.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a config file and its project, without a server.",
        discussion: """
            Tells every problem at once; the exit code is 1 where there is one. Warnings are of what has no effect.

            Examples:
              cortex validate
              cortex validate iris/cortex.yaml -o json
            """
    )

    @Argument(help: "The config file; its folder is the project.", completion: .file(extensions: ["yaml", "yml"]))
    var config = "cortex.yaml"

    @OptionGroup var output: OutputOptions

    /// What `-o json` prints.
    private struct Report: Encodable {
        struct API: Encodable {
            var name: String
            var kind: String
            var endpoint: String
        }

        struct Problem: Encodable {
            var file: String?
            var line: Int?
            var column: Int?
            var api: String?
            var field: String?
            var message: String
            var allowed: String?
            var hint: String?
        }

        var valid: Bool
        var config: String
        var apis: [API]
        var problems: [Problem]
        var warnings: [Problem]
    }

    func run() throws {
        let console = Console.standard
        let project = LocalProject(try ConfigSource(path: self.config, verb: "validate"))
        if self.output.output == .json {
            try console.printJSON(
                Report(
                    valid: project.problems.isEmpty,
                    config: project.source.fileName,
                    apis: (project.config?.resources ?? []).map {
                        Report.API(name: "\($0.name)", kind: $0.kind.rawValue, endpoint: $0.networking.endpoint)
                    },
                    problems: Self.entries(project.problems),
                    warnings: Self.entries(project.warnings)
                )
            )
            guard project.problems.isEmpty else { throw ExitCode(1) }
            return
        }
        try project.check(console: console)
        let apis = (project.config?.resources ?? []).map { "\($0.name) (\($0.kind.rawValue))" }
        console.print("\(project.source.fileName) is valid: \(apis.joined(separator: ", "))")
    }

    private static func entries(_ list: ProblemList) -> [Report.Problem] {
        list.problems.map { problem in
            Report.Problem(
                file: problem.file,
                line: problem.position.line,
                column: problem.position.column,
                api: problem.api,
                field: problem.field,
                message: problem.message,
                allowed: problem.allowed,
                hint: problem.hint
            )
        } + list.sentences.map { Report.Problem(message: $0) }
    }
}
