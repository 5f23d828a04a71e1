import Subprocess

/// One run of a tool, whose output is read line by line while it runs.
///
/// The tool leads a session of its own; cancelling the task ends all its processes, and the run returns after they are gone.
struct ToolCommand: Sendable {
    var executable: String
    var arguments: [String]
    var environment: ProcessEnvironment
    /// Where it runs; nil for this process's own folder.
    var workingDirectory: String?

    /// Runs to the end; returns whether the tool says that it succeeded.
    ///
    /// - Parameter onLine: Takes each line of both outputs, cleaned of control characters, as it comes.
    /// - Throws: What kept it from starting, or `CancellationError`.
    func run(onLine: (String) async throws -> Void) async throws -> Bool {
        var platform = PlatformOptions()
        // A group signal must reach the tool's children, and must not reach us.
        platform.createSession = true
        // At once and to all: a leader that ended politely would leave those behind that do not. What is being made is in a
        // folder that goes with it.
        platform.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let variables = self.environment.variables.compactMap { name, value in
            Environment.Key(rawValue: name).map { ($0, value) }
        }
        let configuration = Configuration(
            executable: .path(Self.path(self.executable)),
            arguments: Arguments(self.arguments),
            environment: .custom(Dictionary(variables) { first, _ in first }),
            workingDirectory: self.workingDirectory.map { Self.path($0) },
            platformOptions: platform
        )
        let result = try await Subprocess.run(
            configuration,
            input: .none,
            output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            var splitter = ToolOutputLines()
            for try await buffer in execution.standardOutput {
                let lines = buffer.withUnsafeBytes { splitter.split($0) }
                for line in lines { try await onLine(line) }
            }
            if let line = splitter.finish() { try await onLine(line) }
        }
        try Task.checkCancellation()
        return result.terminationStatus.isSuccess
    }

    /// Makes the path type that Subprocess takes from a text of run time.
    ///
    /// By its literal initialiser, which needs no import: the type's module has one name on a Mac and another on Linux, and
    /// is not among this target's dependencies.
    private static func path<Path: ExpressibleByStringLiteral>(
        _ text: Path.StringLiteralType
    ) -> Path where Path.StringLiteralType == String {
        Path(stringLiteral: text)
    }
}
