/// Collects what is found in a file while it is read.
final class ProblemLog {
    private let file: String
    private var problems: [SpecProblem] = []
    private var seen: Set<SpecProblem> = []

    init(file: String) {
        self.file = file
    }

    func add(
        _ severity: SpecProblem.Severity = .error,
        at position: SourcePosition,
        api: String? = nil,
        field: String? = nil,
        _ message: String,
        allowed: String? = nil,
        hint: String? = nil
    ) {
        let problem = SpecProblem(
            severity: severity,
            file: self.file,
            position: position,
            api: api,
            field: field,
            message: message,
            allowed: allowed,
            hint: hint
        )
        // An alias brings the same text to several places, and each would tell the same.
        if self.seen.insert(problem).inserted { self.problems.append(problem) }
    }

    /// Errors and warnings, each in the order of the text.
    var sorted: (problems: [SpecProblem], warnings: [SpecProblem]) {
        let ordered = self.problems.enumerated().sorted { first, second in
            (first.element.position, first.offset) < (second.element.position, second.offset)
        }.map(\.element)
        return (ordered.filter { $0.severity == .error }, ordered.filter { $0.severity == .warning })
    }
}
