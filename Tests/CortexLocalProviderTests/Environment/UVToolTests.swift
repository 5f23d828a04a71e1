import CortexLocalProvider
import Testing

@Suite(.timeLimit(.minutes(2))) struct UVToolTests {
    private let home: TemporaryFolder
    private let interpreter: PythonInterpreter
    /// A `PATH` without uv.
    private let bare: [String: String]

    init() async throws {
        self.home = try TemporaryFolder()
        self.interpreter = try await PythonInterpreter.find(in: .current)
        self.bare = ["PATH": "/nowhere", "HOME": self.home.path, "PIP_CONFIG_FILE": "/dev/null", "no_proxy": "*"]
    }

    private func find(_ environment: [String: String], log: ProgressLog = ProgressLog()) async throws -> UVTool {
        try await UVTool.find(
            in: ProcessEnvironment(environment),
            tools: "\(self.home.path)/tools",
            interpreter: self.interpreter,
            progress: { log.add($0) }
        )
    }

    /// A stand-in that answers as a uv of that version.
    private func writeUV(_ path: String, version: String) throws {
        try self.home.write(path, "#!/bin/sh\necho \"uv \(version) (x)\"\n", executable: true)
    }

    @Test func `CORTEX_UV comes before PATH, and PATH before tools`() async throws {
        try self.writeUV("named/uv", version: "1.0.1")
        try self.writeUV("path/uv", version: "1.0.2")
        try self.writeUV("tools/uv-1.0.3/uv", version: "1.0.3")
        try self.writeUV("tools/uv-1.0.10/uv", version: "1.0.10")
        var environment = self.bare
        #expect(try await self.find(environment).version.patch == 10)
        environment["PATH"] = "\(self.home.path)/path"
        #expect(try await self.find(environment).version.patch == 2)
        environment["CORTEX_UV"] = "\(self.home.path)/named/uv"
        #expect(try await self.find(environment).version.patch == 1)
    }

    @Test func `a shim without a uv, or an old uv, is passed over`() async throws {
        try self.writeUV("tools/uv-1.0.3/uv", version: "1.0.3")
        var environment = self.bare
        environment["PATH"] = "\(self.home.path)/path"
        let shim = "#!/bin/sh\necho 'pyenv: uv: command not found' >&2\nexit 127\n"
        try self.home.write("path/uv", shim, executable: true)
        #expect(try await self.find(environment).version.patch == 3)
        try self.writeUV("path/uv", version: "0.1.44")
        #expect(try await self.find(environment).version.patch == 3)
        environment["CORTEX_UV"] = "\(self.home.path)/path/uv"
        await #expect(throws: EnvironmentError.self) { try await self.find(environment) }
    }

    @Test(arguments: IndexFixture.Form.allCases)
    func `uv is installed from an index where there is none`(form: IndexFixture.Form) async throws {
        var installed: UVTool?
        try await IndexFixture.serve(python: self.interpreter.path, form: form) { variables in
            let log = ProgressLog()
            let tool = try await self.find(self.bare.merging(variables) { $1 }, log: log)
            // Newer ones are there: yanked, a pre-release, for other machines.
            #expect(tool.version == ToolVersion(major: 0, minor: 9, patch: 10))
            #expect(tool.path == "\(self.home.path)/tools/uv-0.9.10/uv")
            #expect(try self.home.names(in: "tools") == ["uv-0.9.10"])
            #expect(log.lines.contains { $0.hasPrefix("downloading uv 0.9.10") })
            #expect(!log.lines.contains { $0.contains("secret") })
            installed = tool
        }
        // With the index gone.
        #expect(try await self.find(self.bare) == installed)
    }

    @Test func `a wheel that is not what the index says is refused`() async throws {
        try await IndexFixture.serve(python: self.interpreter.path, form: .json, corrupt: true) { variables in
            let error = await #expect(throws: EnvironmentError.self) {
                try await self.find(self.bare.merging(variables) { $1 })
            }
            let text = "\(try #require(error))"
            #expect(text.contains("the index says"))
            #expect(!text.contains("secret"))
        }
        #expect(try self.home.names(in: "tools") == [])
    }

    @Test func `an index that refuses says so, without its password`() async throws {
        try await IndexFixture.serve(python: self.interpreter.path, form: .json) { variables in
            let changed = variables.mapValues { $0.replacing("user:secret", with: "user:wrong") }
            let error = await #expect(throws: EnvironmentError.self) {
                try await self.find(self.bare.merging(changed) { $1 })
            }
            let text = "\(try #require(error))"
            #expect(text.contains("answers 401"))
            #expect(!text.contains("wrong"))
        }
    }
}
