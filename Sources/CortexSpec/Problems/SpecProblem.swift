/// One thing in a user's file that is wrong, or that has no effect.
///
/// `description` is the one line that every edge shows; ``ProblemReport`` adds the source line with a caret.
package struct SpecProblem: Hashable, Sendable, Codable {
    package enum Severity: String, Hashable, Sendable, Codable {
        /// The file is refused.
        case error
        /// The file is accepted, and this part of it does nothing here.
        case warning
    }

    package var severity: Severity
    package var file: String
    package var position: SourcePosition
    /// The name of the API, or `item 2` where it has none; nil where the problem is of the whole file.
    package var api: String?
    /// Dotted path below the API (`predictor.models.paths[0].name`); nil where the problem is of the API itself.
    package var field: String?
    /// What is wrong.
    package var message: String
    /// What would be right.
    package var allowed: String?
    /// What the user probably meant.
    package var hint: String?
    /// Several lines that are shown below the source line, such as a drawing of what was found.
    package var detail: String?

    package init(
        severity: Severity = .error,
        file: String,
        position: SourcePosition,
        api: String? = nil,
        field: String? = nil,
        message: String,
        allowed: String? = nil,
        hint: String? = nil,
        detail: String? = nil
    ) {
        self.severity = severity
        self.file = file
        self.position = position
        self.api = api
        self.field = field
        self.message = message
        self.allowed = allowed
        self.hint = hint
        self.detail = detail
    }
}

extension SpecProblem: CustomStringConvertible {
    /// `cortex.yaml:14:7: iris: predictor.path: what is wrong; what is allowed (hint)`.
    package var description: String {
        self.line(withHint: true)
    }

    /// The line, with or without the hint at its end.
    func line(withHint: Bool) -> String {
        var parts = ["\(self.file):\(self.position)"]
        if self.severity == .warning { parts.append("warning") }
        if let api = self.api { parts.append(api) }
        if let field = self.field { parts.append(field) }
        parts.append(self.message)
        var line = parts.joined(separator: ": ")
        if let allowed = self.allowed { line += "; \(allowed)" }
        if withHint, let hint = self.hint { line += " (\(hint))" }
        return line
    }
}

/// What makes a file unusable: every problem in it, in the order of the text, and the warnings beside them.
package struct SpecError: Error, Hashable, CustomStringConvertible {
    package var problems: [SpecProblem]
    package var warnings: [SpecProblem]

    package init(problems: [SpecProblem], warnings: [SpecProblem] = []) {
        self.problems = problems
        self.warnings = warnings
    }

    package var description: String {
        self.problems.map(\.description).joined(separator: "\n")
    }
}
