import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex get [API]`: what is deployed.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show all APIs and traffic splitters, or one of them.",
        discussion: """
            Without an API and without --env, shows the APIs of every environment; with -o json that is a list of
            environments where more than one is configured, and a list of APIs otherwise.

            Examples:
              cortex get
              cortex get iris --watch
              cortex get --env prod -o json
            """
    )

    @Argument(help: "The API's name; all APIs where it is left out.")
    var api: String?

    @Flag(name: .shortAndLong, help: "Draw it anew every 2 seconds, until Ctrl-C.")
    var watch = false

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !self.watch || self.output.output == .pretty else {
            throw ValidationError("--watch draws on a terminal, and cannot be used with -o json")
        }
    }

    func run() async throws {
        let console = Console.standard
        if case .local(let local) = try self.environment.target(), let record = local.running, record.isShuttingDown {
            console.note("the server (pid \(record.pid)) is shutting down")
        }
        if self.output.output == .json { return try await self.printJSON(on: console) }
        guard self.watch else { return console.print(try await self.text(for: console)) }
        guard console.isTerminal else {
            throw CommandFailure(
                "--watch draws on a terminal, and standard output is none",
                hint: "leave --watch away, or ask again and again: cortex get -o json",
                exitCode: 2
            )
        }
        let words =
            ["cortex", "get"] + [self.api].compactMap { $0 } + (self.environment.name.map { ["-e", $0] } ?? [])
        try await Watch(console: console, title: words.joined(separator: " ")).run {
            try await self.text(for: console)
        }
    }

    private func text(for console: Console) async throws -> String {
        let width = console.size?.columns
        if let api = self.api {
            let found = try await self.oneAPI(console)
            // Deleted between two questions: the page shows what it was.
            let history = try? await self.environment.connect(console: console).deployments(of: api)
            return try APIPage(found, deployments: history ?? []).render(bold: console.usesColour, width: width)
        }
        let targets = try self.targets
        guard targets.count > 1 else {
            let apis = try await self.environment.connect(console: console).apis()
            guard !apis.isEmpty else { return "no apis are deployed" }
            return ResourceTables(apis).render(bold: console.usesColour, width: width)
        }
        let answers = await EnvironmentAPIs.ask(targets)
        let notes = answers.filter { !$0.error.isEmpty }.map {
            "cannot list the apis of the environment \($0.environment): \($0.error)"
        }
        let apis = answers.flatMap { answer in answer.apis.map { (environment: answer.environment, api: $0) } }
        guard !apis.isEmpty else {
            guard notes.count < answers.count else { throw CommandFailure(notes.joined(separator: "\n")) }
            return (["no apis are deployed"] + notes).joined(separator: "\n\n")
        }
        let table = ResourceTables(apis.map { ($0.environment, $0.api) })
        return ([table.render(bold: console.usesColour, width: width)] + notes).joined(separator: "\n\n")
    }

    private func printJSON(on console: Console) async throws {
        if self.api != nil { return try console.printJSON([try await self.oneAPI(console)]) }
        let targets = try self.targets
        guard targets.count > 1 else {
            return try console.printJSON(try await self.environment.connect(console: console).apis())
        }
        let answers = await EnvironmentAPIs.ask(targets)
        try console.printJSON(answers)
        guard answers.contains(where: { $0.error.isEmpty }) else { throw ExitCode(1) }
    }

    private var targets: [OperatorTarget] {
        get throws {
            try self.environment.isNamed() ? [self.environment.target()] : self.environment.allTargets()
        }
    }

    private func oneAPI(_ console: Console) async throws -> APIResponse {
        let name = self.api ?? ""
        let client = try await self.environment.connect(console: console)
        guard let found = try await client.api(name) else { throw try await client.notDeployed(name) }
        return found
    }
}
