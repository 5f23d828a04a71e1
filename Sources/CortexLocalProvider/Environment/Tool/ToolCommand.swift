import CortexTelemetry
import Subprocess

/// One run of a tool, whose output is read line by line while it runs.
///
/// The tool leads a session of its own; when the run ends, for whatever reason, so do all processes of that session.
struct ToolCommand: Sendable {
    var executable: String
    var arguments: [String]
    var environment: ProcessEnvironment
    /// Where it runs.
    ///
    /// Not in the folder that the server was started in: a `.python-version` there would decide what shims do for all APIs.
    var workingDirectory = "/"
    /// How long it may take.
    var limit: Duration?
    /// The beginning of the line by which it says that it has ended, where others may hold its output open for longer.
    var endMark: String?
    /// Hears of its process, while that is there.
    var watch: Watch?

    /// Who is told of a process, so that it can be ended should this one be killed.
    struct Watch: Sendable {
        var started: @Sendable (Int32) -> Void
        var ended: @Sendable (Int32) -> Void
    }

    /// How a run ended.
    enum End: Hashable, Sendable {
        case succeeded
        case failed
        /// It took longer than it may, and was ended.
        case overdue
    }

    /// Runs to the end; returns whether the tool says that it succeeded.
    ///
    /// - Parameter onLine: Takes each line of both outputs, cleaned of control characters and passwords, as it comes.
    /// - Throws: What kept it from starting, or `CancellationError`.
    func run(onLine: (String) async throws -> Void) async throws -> Bool {
        try await self.runToEnd(onLine: onLine) == .succeeded
    }

    /// Runs to the end, or for as long as it may.
    func runToEnd(onLine: (String) async throws -> Void) async throws -> End {
        let watch = self.watch
        let limit = self.limit
        let mark = self.endMark
        let claim = try Descriptors.claimStart()
        let result = try await Subprocess.run(
            self.configuration,
            input: .none,
            output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            claim.release()
            let pid = execution.processIdentifier.value
            watch?.started(pid)
            defer { watch?.ended(pid) }
            let clock = Task {
                guard let limit, (try? await Task.sleep(for: limit)) != nil else { return false }
                try? execution.send(signal: .kill, toProcessGroup: true)
                return true
            }
            defer { clock.cancel() }
            var splitter = ToolOutputLines()
            reading: for try await buffer in execution.standardOutput {
                for line in buffer.withUnsafeBytes({ splitter.split($0) }) {
                    try await onLine(Self.withoutPasswords(line))
                    if let mark, line.hasPrefix(mark) { break reading }
                }
            }
            if let line = splitter.finish() { try await onLine(Self.withoutPasswords(line)) }
            clock.cancel()
            if mark != nil { try? execution.send(signal: .kill, toProcessGroup: true) }
            return await clock.value
        }
        try Task.checkCancellation()
        if result.closureResult { return .overdue }
        return result.terminationStatus.isSuccess ? .succeeded : .failed
    }

    private var configuration: Configuration {
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
        return Configuration(
            executable: .path(Self.path(self.executable)),
            arguments: Arguments(self.arguments),
            environment: .custom(Dictionary(variables) { first, _ in first }),
            workingDirectory: Self.path(self.workingDirectory),
            platformOptions: platform
        )
    }

    /// A line without what stands before the `@` of an address: users and passwords, tokens of Git.
    static func withoutPasswords(_ line: String) -> String {
        guard line.contains("://") else { return line }
        var parts = line.components(by: "://")
        for index in parts.indices.dropFirst() {
            let host = parts[index].prefix { !"/ \t\"'`<>".contains($0) }
            guard let at = host.lastIndex(of: "@") else { continue }
            parts[index] = "***" + parts[index][at...]
        }
        return parts.joined(separator: "://")
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

extension String {
    /// The parts around each occurrence of `separator`.
    fileprivate func components(by separator: String) -> [String] {
        self.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
