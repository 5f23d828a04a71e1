import ArgumentParser
import CortexControlPlane
import Foundation

/// `-e`, of every command that talks to an operator.
struct EnvironmentOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .customLong("env")],
        help: "The environment to use (CORTEX_ENV; default: see cortex env list)."
    )
    var name: String?

    /// The environment that is meant: of the flag, else of `CORTEX_ENV`, else the default.
    func target(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> OperatorTarget {
        let local = try LocalEnvironment(environment: environment)
        let file = try EnvironmentFile(home: local.home)
        let named = self.name ?? environment["CORTEX_ENV"].flatMap { $0.isEmpty ? nil : $0 }
        let name = try named.map { text throws(CommandFailure) in try EnvironmentName(text) } ?? file.defaultName
        if name == .local { return .local(local) }
        guard let entry = file.entry(name) else { throw file.unknown(name) }
        return .remote(entry)
    }

    /// Every environment there is, `local` first.
    func allTargets(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> [OperatorTarget] {
        let local = try LocalEnvironment(environment: environment)
        return [.local(local)] + (try EnvironmentFile(home: local.home)).entries.map { .remote($0) }
    }

    /// Whether a flag or a variable says which environment is meant.
    func isNamed(environment: [String: String] = ProcessInfo.processInfo.environment) -> Bool {
        self.name != nil || !(environment["CORTEX_ENV"] ?? "").isEmpty
    }

    /// A connection to the operator of the environment.
    ///
    /// On a terminal, says which environment that is where it is not this machine and nobody named it.
    func connect(console: Console) async throws -> OperatorClient {
        let target = try self.target()
        if case .remote(let entry) = target, !self.isNamed(), console.errorsAreTerminal {
            console.note("using the environment \(entry.name)")
        }
        return try await target.connect()
    }
}
