/// The machine's Python that environments are made from.
package struct PythonInterpreter: Hashable, Sendable, Codable {
    /// The real interpreter, behind shims and virtual environments.
    package var path: String
    package var version: ToolVersion
    /// Such as `linux-x86_64`, as Python itself names its platform.
    package var platform: String

    package init(path: String, version: ToolVersion, platform: String) {
        self.path = path
        self.version = version
        self.platform = platform
    }

    /// The oldest Python that the worker runs on.
    package static let oldest = ToolVersion(major: 3, minor: 9, patch: 0)

    /// Finds `CORTEX_PYTHON`, else the first `python3` on `PATH`, and asks it what it is.
    package static func find(in environment: ProcessEnvironment) async throws -> PythonInterpreter {
        if let named = environment["CORTEX_PYTHON"] {
            let path = environment.program(named: "CORTEX_PYTHON")
            guard let path, ProcessEnvironment.isExecutable(path) else {
                throw EnvironmentError.noInterpreter(searched: "CORTEX_PYTHON is \(named), which is no executable")
            }
            return try await Self.inspect(path, in: environment)
        }
        guard let path = environment.executable("python3") else {
            throw EnvironmentError.noInterpreter(searched: "there is no python3 on PATH")
        }
        return try await Self.inspect(path, in: environment)
    }

    /// Asks the Python at `path`, which may be a shim or of a virtual environment, for its identity.
    package static func inspect(
        _ path: String,
        in environment: ProcessEnvironment
    ) async throws -> PythonInterpreter {
        var environment = environment
        // Where pyenv looks for a `.python-version`, if it is told so: a server that a shim started has it from there.
        environment["PYENV_DIR"] = nil
        let question = ToolCommand(executable: path, arguments: ["-I", "-c", Self.question], environment: environment)
        var lines: [String] = []
        let succeeded = try await question.run { lines.append($0) }
        // What a shim or a site customisation prints comes before the answer.
        guard succeeded, let mark = lines.lastIndex(of: Self.mark), lines.count >= mark + 5 else {
            // A shim says first what is wrong, and then much more.
            let shim = lines.first { $0.contains("command not found") || $0.contains("is not installed") }
            let output = shim ?? lines.suffix(3).joined(separator: " ")
            throw EnvironmentError.unsuitableInterpreter(path: path, reason: "it does not run (\(output))")
        }
        let answer = lines[(mark + 1)...]
        let implementation = answer[mark + 2]
        guard implementation == "cpython", let version = ToolVersion(answer[mark + 3]) else {
            throw EnvironmentError.unsuitableInterpreter(path: path, reason: "it is \(implementation), not CPython")
        }
        guard version >= Self.oldest else {
            throw EnvironmentError.unsuitableInterpreter(path: path, reason: "it is Python \(version)")
        }
        return PythonInterpreter(path: answer[mark + 1], version: version, platform: answer[mark + 4])
    }

    private static let mark = "cortex interpreter"

    private static let question = """
        import sys, sysconfig
        print("\(Self.mark)")
        print(getattr(sys, "_base_executable", None) or sys.executable)
        print(sys.implementation.name)
        print(".".join(map(str, sys.version_info[:3])))
        print(sysconfig.get_platform())
        """
}
