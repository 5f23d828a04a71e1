import CortexSpec
import Foundation
import Testing

@testable import CortexLocalProvider

/// Modules that only a worker finds out about, with small packages from the index.
@Suite(.timeLimit(.minutes(3))) struct AddedPackageTests {
    private let home: TemporaryFolder
    private let project: TemporaryFolder
    private let request: EnvironmentRequest

    init() throws {
        self.home = try TemporaryFolder()
        self.project = try TemporaryFolder()
        self.request = try .sample(projectFolder: self.project.path)
    }

    private func builder() throws -> EnvironmentBuilder { try EnvironmentBuilder(home: self.home.path) }

    private func modules(of environment: PythonEnvironment, _ names: String...) async throws -> Bool {
        let program = names.map { "import \($0)" }.joined(separator: "\n")
        let command = ToolCommand(
            executable: environment.python,
            arguments: ["-I", "-c", program],
            environment: .current
        )
        return try await command.run { _ in }
    }

    @Test func `a module that was missed is in the next environment, and after a restart`() async throws {
        let builder = try self.builder()
        let before = try await builder.environment(for: self.request) { _ in }
        #expect(try await !self.modules(of: before, "six"))
        #expect(try await builder.add(module: "six.moves", for: self.request) == "six")
        let after = try await builder.environment(for: self.request) { _ in }
        #expect(try await self.modules(of: after, "six"))
        #expect(try await builder.add(module: "six", for: self.request) == nil, "it is there already")
        #expect(try await self.builder().environment(for: self.request) { _ in }.key == after.key)
    }

    @Test(arguments: ["nosuch", "starlette", "json", "torch_neuron"])
    func `nothing is added where that changes nothing`(module: String) async throws {
        #expect(try await self.builder().add(module: module, for: self.request) == nil)
    }

    @Test func `what the project pins is not added`() async throws {
        try self.project.write("requirements.txt", "Six < 1.17")
        #expect(try await self.builder().add(module: "six", for: self.request) == nil)
    }

    @Test func `an addition that cannot be installed does not stand in the way of the next start`() async throws {
        let before = try await self.builder().environment(for: self.request) { _ in }
        var request = self.request
        request.variables["UV_DEFAULT_INDEX"] = "file:///nowhere"
        request.variables["UV_CACHE_DIR"] = "\(self.home.path)/empty-cache"
        let builder = try EnvironmentBuilder(home: self.home.path, variables: ProcessEnvironment(request.variables))
        #expect(try await builder.add(module: "six", for: request) == "six")
        await #expect(throws: (any Error).self) { try await builder.environment(for: request) { _ in } }
        #expect(try await builder.environment(for: request) { _ in }.key == before.key)
    }
}
