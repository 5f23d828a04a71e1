import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(3))) struct EnvironmentBuilderTests {
    private let home: TemporaryFolder
    private let project: TemporaryFolder
    private let request: EnvironmentRequest

    init() throws {
        self.home = try TemporaryFolder()
        self.project = try TemporaryFolder()
        self.request = try .sample(projectFolder: self.project.path)
    }

    private func builder(_ changes: [String: String] = [:]) throws -> EnvironmentBuilder {
        let variables = ProcessEnvironment.current.variables.merging(changes) { $1 }
        return try EnvironmentBuilder(home: self.home.path, variables: ProcessEnvironment(variables))
    }

    /// The keys of what is in the folder of environments.
    private func environments() throws -> [String] {
        try self.home.names(in: "environments").filter { EnvironmentKey($0) != nil }
    }

    /// Runs a program in an environment; returns what it prints.
    private func run(_ environment: PythonEnvironment, _ program: String) async throws -> [String] {
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

    /// A package in the project, which can be installed without any index.
    private func writePackage(_ folder: String, name: String, version: String = "1.0") async throws {
        let wheel = "\(folder)/\(name)-\(version)-py3-none-any.whl"
        try self.project.write(
            "make.py",
            """
            import sys, zipfile
            name, version, path = sys.argv[1:]
            with zipfile.ZipFile(path, "w") as archive:
                info = f"{name}-{version}.dist-info"
                archive.writestr(f"{name}.py", f"version = '{version}'")
                archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
                archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                archive.writestr(f"{info}/RECORD", "")
            """
        )
        try FileManager.default.createDirectory(
            atPath: "\(self.project.path)/\(folder)",
            withIntermediateDirectories: true
        )
        let arguments = ["\(self.project.path)/make.py", name, version, "\(self.project.path)/\(wheel)"]
        let python = try #require(ProcessEnvironment.current.executable("python3"))
        let command = ToolCommand(executable: python, arguments: arguments, environment: .current)
        try #require(await command.run { _ in })
        try FileManager.default.removeItem(atPath: "\(self.project.path)/make.py")
    }

    @Test func `an environment has what the worker and the project need`() async throws {
        try await self.writePackage("wheels", name: "thing")
        try self.project.write("requirements.txt", "thing\n--find-links wheels\n-r more.txt\n")
        try self.project.write("more.txt", "starlette<0.40\n")
        let log = ProgressLog()
        let environment = try await self.builder()
            .environment(for: self.request) { log.add($0.text) }
        let seen = try await self.run(
            environment,
            "import thing, starlette, python_multipart, sys; print(thing.version, starlette.__version__, sys.prefix)"
        )
        let words = try #require(seen.first).split(separator: " ")
        #expect(words[0] == "1.0")
        // The user's own bound wins over the worker's, which has no upper one.
        #expect(words[1].hasPrefix("0.3"))
        #expect(words[2] == environment.folder)
        #expect(try self.environments() == ["\(environment.key)"])
        #expect(log.lines.contains { $0.contains("+ thing==1.0") })
        let kept = try self.home.text("logs/environments/\(environment.key).log")
        #expect(kept.split(separator: "\n").map(String.init) == log.lines)
    }

    @Test func `an environment that is there is taken as it is`() async throws {
        let builder = try self.builder()
        let (first, second, third) = (ProgressLog(), ProgressLog(), ProgressLog())
        let plain = try await builder.environment(for: self.request) { first.add($0.text) }
        try self.project.write("requirements.txt", "# another\n")
        let changed = try await builder.environment(for: self.request) { second.add($0.text) }
        let again = try await builder.environment(for: self.request) { third.add($0.text) }
        #expect(!first.lines.isEmpty && !second.lines.isEmpty)
        #expect(changed.folder != plain.folder)
        // Nothing was run: the tool would have said so.
        #expect(third.lines.isEmpty)
        #expect(again == changed)
        #expect(try self.environments().count == 2)
    }

    @Test func `calls at once share one build`() async throws {
        let builder = try self.builder()
        let logs = (0..<5).map { _ in ProgressLog() }
        let environments = try await withThrowingTaskGroup(of: PythonEnvironment.self) { group in
            for log in logs {
                group.addTask {
                    try await builder.environment(for: self.request) { log.add($0.text) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(environments).count == 1)
        #expect(environments.count == 5)
        let kept = try self.home.text("logs/environments/\(environments[0].key).log")
        #expect(kept.split(separator: "\n").filter { $0.hasPrefix("creating an environment") }.count == 1)
        #expect(logs.allSatisfy { $0.lines.contains { $0.hasPrefix("resolving") } })
    }

    @Test func `two servers that build the same at once both get a sound environment`() async throws {
        let first = try self.builder()
        let second = try self.builder()
        async let one = first.environment(for: self.request) { _ in }
        async let other = second.environment(for: self.request) { _ in }
        let environments = try await [one, other]
        #expect(environments[0] == environments[1])
        #expect(try self.environments() == ["\(environments[0].key)"])
        #expect(try await self.run(environments[0], "import starlette; print('ok')") == ["ok"])
    }

    @Test func `requirements that cannot be met say so, and leave nothing`() async throws {
        try self.project.write("requirements.txt", "starlette<0.1\n")
        let error = await #expect(throws: EnvironmentError.self) {
            try await self.builder().environment(for: self.request) { _ in }
        }
        guard case .buildFailed(let failure) = try #require(error) else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(failure.place == "requirements.txt:1")
        #expect(failure.subject == "starlette<0.1")
        #expect(failure.output.joined().contains("starlette"))
        #expect(try String(contentsOfFile: failure.log, encoding: .utf8).contains(try #require(failure.output.last)))
        #expect(try self.environments() == [])
    }

    @Test func `a failed build is tried again`() async throws {
        try self.project.write("requirements.txt", "--find-links wheels\nthing\n")
        let builder = try self.builder(["UV_OFFLINE": "1"])
        await #expect(throws: EnvironmentError.self) {
            try await builder.environment(for: self.request) { _ in }
        }
        try await self.writePackage("wheels", name: "thing")
        let again = try self.builder()
        let environment = try await again.environment(for: self.request) { _ in }
        #expect(try await self.run(environment, "import thing; print('ok')") == ["ok"])
    }

    @Test func `a cancelled build takes all of uv's processes with it, and leaves nothing`() async throws {
        let uv = try HangingUV(in: self.home)
        let builder = try self.builder(["CORTEX_UV": uv.path])
        let log = ProgressLog()
        let task = Task {
            try await builder.environment(for: self.request) { log.add($0.text) }
        }
        try #require(await log.line(beginningWith: "hanging") != nil)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(uv.isGone())
        #expect(try self.environments() == [])
    }

    @Test func `a build ends with the last of its waiters`() async throws {
        let uv = try HangingUV(in: self.home)
        let builder = try self.builder(["CORTEX_UV": uv.path])
        let log = ProgressLog()
        let first = Task { try await builder.environment(for: self.request) { log.add($0.text) } }
        try #require(await log.line(beginningWith: "hanging") != nil)
        let second = Task { try await builder.environment(for: self.request) { _ in } }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(uv.isGone())
    }

    @Test func `a start removes what a dead process left, and not what a live one builds`() async throws {
        try FileManager.default.createDirectory(
            atPath: "\(self.home.path)/environments/\(String(repeating: "a", count: 64))/build-dead/env",
            withIntermediateDirectories: true
        )
        _ = try self.builder()
        #expect(try self.environments() == [])
        let folder = "\(self.home.path)/environments/\(String(repeating: "b", count: 64))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let living = try BuildFolder(in: folder)
        _ = try self.builder()
        #expect(FileManager.default.fileExists(atPath: living.path))
    }

    @Test func `an environment that lost its Python is made anew`() async throws {
        let builder = try self.builder()
        let environment = try await builder.environment(for: self.request) { _ in }
        try FileManager.default.removeItem(atPath: "\(environment.folder)/bin")
        let again = try await builder.environment(for: self.request) { _ in }
        #expect(again.key == environment.key)
        #expect(try await self.run(again, "print('ok')") == ["ok"])
        #expect(!FileManager.default.fileExists(atPath: environment.folder))
        #expect(try self.environments() == ["\(environment.key)"])
    }
}
