import CortexSpec
import Testing

@Suite struct ProblemReportTests {
    private static let problem = SpecProblem(
        file: "cortex.yaml",
        position: SourcePosition(line: 2, column: 7),
        api: "iris",
        field: "predictor.path",
        message: "there is no file \"p.py\"",
        allowed: "it must be a file",
        hint: "did you mean q.py?"
    )

    @Test func `a caret stands under the word`() {
        let report = ProblemReport(text: "a: 1\n\tpath: p.py # note\n", colour: false)
        #expect(
            report.render([Self.problem]) == """
                cortex.yaml:2:7: iris: predictor.path: there is no file "p.py"; it must be a file
                  |
                2 |  path: p.py # note
                  |       ^
                  = help: did you mean q.py?

                """
        )
    }

    @Test func `what explains a problem stands below it`() {
        var problem = Self.problem
        problem.detail = "expected:\n└── a"
        let report = ProblemReport(text: "a: 1\n\tpath: p.py # note\n", colour: false)
        #expect(
            report.render([problem]).hasSuffix(
                "  = help: did you mean q.py?\n    expected:\n    └── a\n"
            )
        )
        // The one line stays one.
        #expect(!problem.description.contains("expected"))
    }

    @Test func `quoted text is underlined whole`() {
        var problem = Self.problem
        problem.hint = nil
        let report = ProblemReport(text: "a: 1\npath: \"p q.py\" # note\n", colour: false)
        #expect(
            report.render([problem]).hasSuffix(
                "  | path: \"p q.py\" # note\n".replacing("  |", with: "2 |") + "  |       ^^^^^^^^\n"
            )
        )
    }

    @Test func `colour is written where it is asked for`() {
        let report = ProblemReport(text: "a: 1\npath: p.py\n", colour: true)
        #expect(report.render([Self.problem]).contains("\u{1B}[1;31m^^^^\u{1B}[0m"))
    }

    @Test func `a place beyond the text has no block`() {
        var problem = Self.problem
        problem.position.line = 99
        problem.hint = nil
        #expect(ProblemReport(text: "a", colour: false).render([problem]).split(separator: "\n").count == 1)
    }

    @Test func `a long line is cut around the place`() {
        var problem = Self.problem
        problem.position = SourcePosition(line: 1, column: 501)
        problem.hint = nil
        let text = String(repeating: "x ", count: 250) + "word"
        let lines = ProblemReport(text: text, colour: false).render([problem]).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.count <= 110 })
        #expect(lines.last?.hasSuffix("^^^^") == true)
    }
}
