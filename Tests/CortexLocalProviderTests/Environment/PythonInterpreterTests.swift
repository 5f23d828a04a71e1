import CortexLocalProvider
import Testing

@Suite(.timeLimit(.minutes(1))) struct PythonInterpreterTests {
    private func environment(_ changes: [String: String]) -> ProcessEnvironment {
        ProcessEnvironment(ProcessEnvironment.current.variables.merging(changes) { $1 })
    }

    @Test func `finds the real Python behind PATH`() async throws {
        let python = try await PythonInterpreter.find(in: self.environment(["CORTEX_PYTHON": ""]))
        #expect(python.version >= PythonInterpreter.oldest)
        #expect(ProcessEnvironment.isExecutable(python.path))
        #expect(!python.path.contains("/shims/"))
        #expect(!python.platform.isEmpty)
    }

    @Test func `finds the Python behind a shim that talks`() async throws {
        let real = try await PythonInterpreter.find(in: .current)
        let folder = try TemporaryFolder()
        try folder.write("python3", "#!/bin/sh\necho rehashing\nexec '\(real.path)' \"$@\"\n", executable: true)
        let named = self.environment(["CORTEX_PYTHON": "\(folder.path)/python3"])
        #expect(try await PythonInterpreter.find(in: named).path == real.path)
    }

    @Test(arguments: [
        (answer: "pypy\necho 3.10.1\necho linux", reason: "it is pypy, not CPython"),
        (answer: "cpython\necho 3.8.18\necho linux", reason: "it is Python 3.8.18"),
    ])
    func `refuses a Python that cannot carry workers`(answer: String, reason: String) async throws {
        let folder = try TemporaryFolder()
        let script = "#!/bin/sh\necho cortex interpreter\necho /opt/python\necho \(answer)\n"
        try folder.write("python", script, executable: true)
        let path = "\(folder.path)/python"
        await #expect(throws: EnvironmentError.unsuitableInterpreter(path: path, reason: reason)) {
            try await PythonInterpreter.find(in: self.environment(["CORTEX_PYTHON": path]))
        }
    }

    @Test func `says what a Python that does not run said`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("python3", "#!/bin/sh\necho 'pyenv: no version' >&2\nexit 127\n", executable: true)
        await #expect(
            throws: EnvironmentError.unsuitableInterpreter(
                path: "\(folder.path)/python3",
                reason: "it does not run (pyenv: no version)"
            )
        ) {
            try await PythonInterpreter.find(in: self.environment(["PATH": folder.path, "CORTEX_PYTHON": ""]))
        }
    }

    @Test func `says what a shim says first`() async throws {
        let folder = try TemporaryFolder()
        let script = """
            #!/bin/sh
            echo 'pyenv: python3: command not found' >&2
            echo >&2
            echo "The python3 command exists in these Python versions:" >&2
            echo '  3.9.18' >&2
            echo "Note: See 'pyenv help global' for tips" >&2
            exit 127

            """
        try folder.write("python3", script, executable: true)
        await #expect(
            throws: EnvironmentError.unsuitableInterpreter(
                path: "\(folder.path)/python3",
                reason: "it does not run (pyenv: python3: command not found)"
            )
        ) {
            try await PythonInterpreter.find(in: self.environment(["PATH": folder.path, "CORTEX_PYTHON": ""]))
        }
    }

    @Test func `says where it looked`() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: EnvironmentError.noInterpreter(searched: "there is no python3 on PATH")) {
            try await PythonInterpreter.find(in: self.environment(["PATH": folder.path, "CORTEX_PYTHON": ""]))
        }
        await #expect(
            throws: EnvironmentError.noInterpreter(searched: "CORTEX_PYTHON is /no/python, which is no executable")
        ) {
            try await PythonInterpreter.find(in: self.environment(["CORTEX_PYTHON": "/no/python"]))
        }
    }
}
