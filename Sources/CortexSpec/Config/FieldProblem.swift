/// What is wrong with a field of one API, found in what it names (models, the machine) and not in the file itself.
package struct FieldProblem: Hashable, Sendable, Codable, CustomStringConvertible {
    /// A warning lets the deploy go on.
    package var severity: SpecProblem.Severity
    /// Dotted path below the API (`predictor.models.paths[1].model_path`).
    package var field: String
    /// What is wrong.
    package var message: String
    /// What would be right.
    package var allowed: String?
    /// Several lines shown below the problem: the tree that is expected, and what was found.
    package var detail: String?

    package init(
        severity: SpecProblem.Severity = .error,
        field: String,
        message: String,
        allowed: String? = nil,
        detail: String? = nil
    ) {
        self.severity = severity
        self.field = field
        self.message = message
        self.allowed = allowed
        self.detail = detail
    }

    /// `predictor.model_path: what is wrong; what is allowed`.
    package var description: String {
        "\(self.field): \(self.message)" + (self.allowed.map { "; \($0)" } ?? "")
    }
}
