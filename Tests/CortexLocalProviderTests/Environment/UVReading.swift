@testable import CortexLocalProvider

/// Reads what uv said on a machine with Python 3.11.7.
protocol UVReading {}

extension UVReading {
    private var interpreter: PythonInterpreter {
        PythonInterpreter(
            path: "/usr/bin/python3",
            version: ToolVersion(major: 3, minor: 11, patch: 7),
            platform: "linux-x86_64"
        )
    }

    /// What is made of uv's output for a project with these requirements.
    func read(
        _ output: String,
        _ requirements: String,
        more: [String: String] = [:],
        plan: [String] = [],
        variables: [String: String] = [:]
    ) throws -> BuildFailure {
        let folder = try TemporaryFolder()
        try folder.write("requirements.txt", requirements)
        for (path, text) in more { try folder.write(path, text) }
        return UVFailure(
            requirements: RequirementFiles(projectFolder: folder.path),
            plan: PackagePlan(requirements: (plan + ["starlette>=0.13.6", "python-multipart>=0.0.5"]).sorted()),
            interpreter: self.interpreter,
            variables: ProcessEnvironment(variables),
            lines: output.split(separator: "\n").map(String.init)
        ).failure
    }

    /// What comes before the lines of the tool.
    func head(_ failure: BuildFailure) -> String {
        [failure.place, failure.subject, failure.reason].compactMap { $0 }.joined(separator: ": ")
    }
}
