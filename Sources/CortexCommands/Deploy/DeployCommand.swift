import ArgumentParser
import CortexControlPlane
import CortexSpec
import Foundation

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// `cortex deploy [CONFIG]`: the folder of a config file becomes live APIs.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Deploy the APIs of a config file; starts the server where none runs.",
        discussion: """
            Examples:
              cortex deploy
              cortex deploy iris/cortex.yaml --wait
              cortex deploy --force --no-wait --env prod
            """
    )

    @Argument(help: "The config file; its folder is the project.", completion: .file(extensions: ["yaml", "yml"]))
    var config = "cortex.yaml"

    @Flag(name: .shortAndLong, help: "Replace an update that is in progress.")
    var force = false

    @Flag(name: .shortAndLong, help: "Accepted for scripts of earlier versions; there is no question to skip.")
    var yes = false

    @Flag(inversion: .prefixedNo, help: "Wait until each API is live or failed (by default on a terminal).")
    var wait: Bool?

    @Option(help: "How long to wait, such as 90s or 10m; then the exit code is 3.")
    var timeout = WaitLimit(.seconds(600))

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let project = LocalProject(try ConfigSource(path: self.config, verb: "deploy"))
        try project.check(console: console)

        let client = try await self.connect(console: console)
        var results = try await self.deploy(project, to: client, console: console)
        let warnings = ProblemList(results.flatMap { $0.warnings ?? [] }, severity: .warning, text: project.source.text)
        if !warnings.isEmpty { console.note(warnings.render(for: console)) }

        let summary = DeploySummary(results)
        if self.output.output == .pretty { summary.print(on: console) }
        var failure: CommandFailure? = summary.hasErrors ? CommandFailure("not every API was deployed") : nil
        if self.wait ?? console.isTerminal {
            Self.tellOnInterrupt()
            var waiter = DeployWait(client: client, console: console, limit: self.timeout)
            for index in results.indices where results[index].error.isEmpty {
                guard let api = results[index].api else {
                    failure = failure ?? CommandFailure("an API was deleted while it was deployed")
                    continue
                }
                let end = try await waiter.wait(for: api, prints: self.output.output == .pretty)
                results[index].api = end.api ?? results[index].api
                // The first failure decides the exit code, unless a later one is graver than lateness.
                if let reason = end.failure, failure == nil || failure?.exitCode == 3 { failure = reason }
            }
        }
        if self.output.output == .json {
            try console.printJSON(results)
        } else if failure == nil {
            let isInCluster = try self.environment.target().cluster != nil
            console.print("\n" + summary.hints(environment: self.environment.name, isInCluster: isInCluster))
        }
        // The messages have said it all.
        if let failure { throw ExitCode(failure.exitCode) }
    }

    /// Says on Ctrl-C that only the waiting ends with it.
    private static func tellOnInterrupt() {
        signal(SIGINT) { _ in
            // A handler may do no more than this.
            let text: StaticString = "\nnot waiting any more; the server goes on: see `cortex get`\n"
            _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
            _exit(130)
        }
    }

    /// On this machine a server is started where none runs.
    private func connect(console: Console) async throws -> OperatorClient {
        guard case .local(let local) = try self.environment.target() else {
            return try await self.environment.connect(console: console)
        }
        let (record, isNew) = try await local.ensureServer(console: console)
        if isNew { console.note("started the cortex server (pid \(record.pid)): http://localhost:\(record.port)") }
        return try await local.connect(to: record)
    }

    private func deploy(
        _ project: LocalProject,
        to client: OperatorClient,
        console: Console
    ) async throws -> [DeployResponse] {
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        do {
            let hash = try await project.upload(to: client) { progress.show($0) }
            let hasModels = project.config?.apis.contains { !$0.modelPlaces.isEmpty } ?? false
            progress.show(hasModels ? "checking models" : "deploying")
            let isLocal = try self.environment.target().isLocal
            let body = project.deployBody(hash, isLocal: isLocal, force: self.force)
            return try await progress.show(while: { try await client.deploy(body) })
        } catch let refusal as OperatorClient.Refusal {
            progress.clear()
            throw project.failure(refusal, console: console)
        }
    }
}
