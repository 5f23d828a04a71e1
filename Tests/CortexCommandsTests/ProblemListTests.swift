import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct ProblemListTests {
    private static func problem(detail: String?) -> ConfigProblem {
        ConfigProblem(
            file: "cortex.yaml",
            line: 1,
            column: 1,
            api: "iris",
            field: "predictor.model_path",
            message: "m/ is empty",
            detail: detail,
            rendered: ""
        )
    }

    /// Neither output is a terminal.
    private let console = Console(output: -1, errors: -1)

    @Test func `what explains a problem is set in below its line`() {
        let list = ProblemList(
            [Self.problem(detail: "expected:\nm/\n└── (any files)"), Self.problem(detail: nil)],
            text: "- name: iris"
        )
        #expect(
            list.render(for: self.console) == """
                cortex.yaml:1:1: iris: predictor.model_path: m/ is empty
                    expected:
                    m/
                    └── (any files)
                cortex.yaml:1:1: iris: predictor.model_path: m/ is empty
                """
        )
    }

    @Test func `warnings of the operator are shown as such`() {
        let list = ProblemList([Self.problem(detail: nil)], severity: .warning, text: "- name: iris")
        #expect(
            list.render(for: self.console)
                == "cortex.yaml:1:1: warning: iris: predictor.model_path: m/ is empty"
        )
    }
}
