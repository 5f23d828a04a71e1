import Foundation
import Testing

@testable import CortexLocalProvider

/// A home and a project of one test, and builders that work on them.
struct BuilderFixture {
    let home: TemporaryFolder
    let project: TemporaryFolder

    init() throws {
        self.home = try TemporaryFolder()
        self.project = try TemporaryFolder()
    }

    func builder(_ changes: [String: String] = [:]) throws -> EnvironmentBuilder {
        let variables = ProcessEnvironment.current.variables.merging(changes) { $1 }
        return try EnvironmentBuilder(home: self.home.path, variables: ProcessEnvironment(variables))
    }

    /// - Parameter changes: To the variables of the API's workers.
    func request(_ changes: [String: String] = [:]) throws -> EnvironmentRequest {
        let variables = ProcessEnvironment.current.variables.merging(changes) { $1 }
        return try .sample(projectFolder: self.project.path, variables: variables)
    }

    /// Builds, and returns why that failed.
    func failure(_ changes: [String: String] = [:], log: ProgressLog = ProgressLog()) async throws -> BuildFailure {
        let error = await #expect(throws: EnvironmentError.self) {
            try await self.builder(changes).environment(for: self.request(changes)) { log.add($0.text) }
        }
        guard case .buildFailed(let failure) = try #require(error) else {
            throw Unexpected(error: "\(String(describing: error))")
        }
        return failure
    }

    struct Unexpected: Error {
        var error: String
    }

    /// The keys of what is in the folder of environments.
    func environments() throws -> [String] {
        try self.home.names(in: "environments").filter { EnvironmentKey($0) != nil }
    }

    /// Runs a program in an environment; returns what it prints.
    func run(_ environment: PythonEnvironment, _ program: String) async throws -> [String] {
        var lines: [String] = []
        let command = ToolCommand(
            executable: environment.python,
            arguments: ["-I", "-c", program],
            environment: .current
        )
        let succeeded = try await command.run { lines.append($0) }
        try #require(succeeded, "\(lines)")
        return lines
    }
}
