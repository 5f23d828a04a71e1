import CortexControlPlane
import CortexSpec

/// What is wrong with a project, file by file, ready to be shown.
struct ProblemList: Sendable {
    /// Problems of one file.
    struct Part: Sendable {
        /// The file's text, for the lines that carets point into.
        var text: String
        var problems: [SpecProblem]
    }

    private(set) var parts: [Part] = []
    /// What is wrong with a file or folder as such, and has no line.
    private(set) var sentences: [String] = []

    var isEmpty: Bool { self.count == 0 }
    var count: Int { self.parts.reduce(self.sentences.count) { $0 + $1.problems.count } }
    var problems: [SpecProblem] { self.parts.flatMap(\.problems) }

    mutating func add(_ problems: [SpecProblem], in text: String) {
        if !problems.isEmpty { self.parts.append(Part(text: text, problems: problems)) }
    }

    mutating func add(_ sentence: String) {
        self.sentences.append(sentence)
    }

    /// A line for each; for people, with the source and a caret below it.
    func render(for console: Console) -> String {
        let blocks = self.parts.map { part in
            console.errorsAreTerminal
                ? ProblemReport(text: part.text, colour: console.usesColourInErrors).render(part.problems)
                : part.problems.map(Self.plain).joined()
        }
        let text = (blocks + self.sentences.map { "\($0)\n" }).joined(separator: console.errorsAreTerminal ? "\n" : "")
        return String(text.dropLast())
    }

    /// The line, and below it what explains it, set in so that it is told from the next line.
    private static func plain(_ problem: SpecProblem) -> String {
        let detail = problem.detail?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        return "\(problem)\n" + detail.map { "    \($0)\n" }.joined()
    }
}

extension ProblemList {
    /// What the operator found wrong with a config file.
    init(_ problems: [ConfigProblem], severity: SpecProblem.Severity = .error, text: String) {
        let problems = problems.map { problem in
            SpecProblem(
                severity: severity,
                file: problem.file,
                position: SourcePosition(line: problem.line, column: problem.column),
                api: problem.api,
                field: problem.field,
                message: problem.message,
                allowed: problem.allowed,
                hint: problem.hint,
                detail: problem.detail
            )
        }
        self.init()
        self.add(problems, in: text)
    }

    /// The failure of a command that these keep from its work.
    func failure(of fileName: String, console: Console) -> CommandFailure {
        let count = self.count == 1 ? "a problem" : "\(self.count) problems"
        let isOfFile = self.sentences.isEmpty && self.problems.allSatisfy { $0.file == fileName }
        let subject = isOfFile ? fileName : "the project of \(fileName)"
        return CommandFailure("\(subject) has \(count)\n\(self.render(for: console))")
    }
}
