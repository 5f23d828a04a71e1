import CortexSpec
import Foundation

/// One run of a project's `dependencies.sh`, by `bash -e`.
///
/// A trap tells which line failed. It comes in by `BASH_ENV`, so that the script's own `$0`, `$LINENO` and options are what
/// they always are.
struct ScriptRun {
    let bash: String
    let folder: String
    let variables: ProcessEnvironment
    let limit: Duration
    let watch: ToolCommand.Watch
    /// A file that may be written.
    let trap: String

    private static let endMark = "cortex: dependencies.sh ended with status "
    private static let failMark = "cortex: failed at "

    /// Runs it; returns nil where it succeeded.
    func run(onLine: (String) -> Void) async throws -> BuildFailure? {
        try Self.program.write(toFile: self.trap, atomically: true, encoding: .utf8)
        // What the script leaves running holds its output open: the end is told, not waited for.
        let program = "BASH_ENV=\"$1\" \"$2\" -e \(InstallScript.file) </dev/null; printf '\\n%s%s\\n' \"$3\" \"$?\""
        let command = ToolCommand(
            executable: self.bash,
            arguments: ["-c", program, "cortex", self.trap, self.bash, Self.endMark],
            environment: self.variables,
            workingDirectory: self.folder,
            limit: self.limit,
            endMark: Self.endMark,
            watch: self.watch
        )
        var status = ""
        var failed: String?
        var last: [String] = []
        let end = try await command.runToEnd { line in
            if line.hasPrefix(Self.endMark) {
                status = String(line.dropFirst(Self.endMark.count))
            } else if line.hasPrefix(Self.failMark) {
                failed = failed ?? String(line.dropFirst(Self.failMark.count))
            } else {
                last = last.suffix(BuildFailure.shownLines - 1) + [line]
                onLine(line)
            }
        }
        if end == .overdue { return self.overdue(last) }
        guard status != "0" else { return nil }
        return self.failure(status: status, failed: failed, output: last)
    }

    private func overdue(_ output: [String]) -> BuildFailure {
        BuildFailure(
            place: InstallScript.file,
            reason: "it did not end within \(self.limit.goText) (\(BuildLimits.dependenciesVariable)) and was ended; "
                + "it cannot ask questions, as nobody is there to answer",
            output: output
        )
    }

    private func failure(status: String, failed: String?, output: [String]) -> BuildFailure {
        // `dependencies.sh:3: pip install nunpy`
        let parts = failed?.split(separator: ": ", maxSplits: 1).map(String.init) ?? []
        var failure = BuildFailure(place: InstallScript.file, reason: "ended with status \(status)", output: output)
        if parts.count == 2 {
            failure.place = parts[0]
            failure.subject = parts[1]
        } else if let line = output.compactMap({ $0.firstMatch(of: /^dependencies\.sh: line (\d+):/)?.1 }).last {
            failure.place = "\(InstallScript.file):\(line)"
        }
        let script = FileManager.default.contents(atPath: "\(self.folder)/\(InstallScript.file)") ?? Data()
        if script.contains(UInt8(ascii: "\r")) {
            failure.reason += "; its lines end as on Windows (CR LF), which bash cannot read"
        }
        return failure
    }

    /// Removes itself from the surroundings first: scripts that this one starts are no business of ours.
    private static let program = """
        unset BASH_ENV
        set -E
        trap 'printf "\\n\(Self.failMark)%s:%s: %s\\n" "${BASH_SOURCE[0]:-$0}" "$LINENO" "${BASH_COMMAND%%$'"'\\n'"'*}" >&2' ERR
        """
}
