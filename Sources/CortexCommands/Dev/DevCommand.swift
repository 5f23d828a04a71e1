import ArgumentParser
import CortexControlPlane
import CortexSpec
import Foundation
import Logging

/// `cortex dev [CONFIG]`: the project served in the foreground, and again after each save.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Serve a project in the foreground, and reload it on save.",
        discussion: """
            Runs a server of its own until Ctrl-C; other servers and what is deployed on them are left alone. After each
            reload the project's sample.json (or samples/<api>.json) is sent.

            Examples:
              cortex dev
              cortex dev iris/cortex.yaml --port 9000
              cortex dev --once
            """
    )

    @Argument(help: "The config file; its folder is the project.", completion: .file(extensions: ["yaml", "yml"]))
    var config = "cortex.yaml"

    @Option(help: "The port to serve on; 0 takes a free one (CORTEX_PORT; default 8888, or a free one near it).")
    var port: Int?

    @Option(help: "The address to serve on (CORTEX_HOST; default 127.0.0.1).")
    var host: String?

    @Flag(inversion: .prefixedNo, help: "Send the sample request after each reload.")
    var sample = true

    @Flag(help: "Load once, send the samples, and end; exit code 1 where something failed.")
    var once = false

    func validate() throws {
        try PortNumber.check(self.port, of: "--port")
    }

    func run() async throws {
        let console = Console.standard
        let started = ContinuousClock.now
        // Told before anything is made or started.
        let source = try ConfigSource(path: self.config, verb: "dev")
        let environment = ProcessInfo.processInfo.environment
        let home = DevHome(
            shared: try CortexHome(environment: environment),
            config: "\(source.root)/\(source.fileName)"
        )
        let lock = try home.open()
        let result: Result<Bool, any Error>
        do {
            let configuration = try self.configuration(home, environment: environment, console: console)
            result = .success(try await self.serve(configuration, started: started, console: console))
        } catch {
            result = .failure(error)
        }
        home.clear()
        lock.release()
        if try result.get(), self.once { throw ExitCode(1) }
    }

    private func configuration(
        _ home: DevHome,
        environment: [String: String],
        console: Console
    ) throws -> ServerConfiguration {
        let arguments = (self.port.map { ["--port", "\($0)"] } ?? []) + (self.host.map { ["--host", $0] } ?? [])
        let options = try ServerOptions.parse(arguments)
        var configuration = try options.configuration(home: home.home, environment: environment)
        // Only what was asked for must be had; what nobody named is looked for nearby.
        let isNamed = self.port != nil || !(environment["CORTEX_PORT"] ?? "").isEmpty
        let wanted = configuration.port
        if isNamed {
            try PortCheck.data(configuration)
        } else {
            for port in [wanted] + Array(8890...8899) + [0] {
                configuration.port = port
                if (try? PortCheck.data(configuration)) != nil { break }
            }
            if configuration.port != wanted {
                let holder = PortHolder.find(port: wanted).map { " (\($0))" } ?? ""
                let instead = configuration.port == 0 ? "a free one" : "\(configuration.port)"
                console.note("port \(wanted) is taken\(holder); serving on \(instead)")
            }
        }
        configuration.operatorPort = 0
        configuration.toolHome = home.shared
        configuration.logLevel = .warning
        configuration.logFormat = .text
        // It shows requests in its own way.
        configuration.accessLog = .off
        configuration.drainDelay = .zero
        return configuration
    }

    /// Until Ctrl-C, or (`--once`) all is done; returns whether something failed.
    private func serve(
        _ configuration: ServerConfiguration,
        started: ContinuousClock.Instant,
        console: Console
    ) async throws -> Bool {
        var options = DevSession.Options(config: self.config)
        options.sendsSamples = self.sample
        options.isOnce = self.once
        options.started = started
        let folders = DevFolders(versions: configuration.home.versions, config: self.config)
        let text = DevText(usesColour: console.usesColour, folders: folders)
        let (outcome, report) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(1))
        let interrupts = Interrupts()
        let companion = ServerCompanion { [options] server in
            let session = DevSession(server: server, options: options, text: text, console: console)
            let isInterrupted = try await Self.run(session, until: interrupts)
            report.yield(await session.hasFailed)
            guard isInterrupted else { return }
            console.print("\nending: what is in flight is answered first; Ctrl-C again ends it at once")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runServer(configuration, companion: companion) }
            group.addTask { try await interrupts.watch() }
            defer { group.cancelAll() }
            try await group.next()
        }
        report.finish()
        return await outcome.first { _ in true } ?? false
    }

    /// Runs a session to its end, or to the first Ctrl-C; returns whether that came.
    private static func run(_ session: DevSession, until interrupts: Interrupts) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await session.run()
                return false
            }
            group.addTask {
                await interrupts.first()
                return true
            }
            let isInterrupted = try await group.next() ?? false
            group.cancelAll()
            // Its last lines are written before anything else is.
            while (try? await group.next()) != nil {}
            return isInterrupted
        }
    }
}
