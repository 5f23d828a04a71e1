import Testing

/// A config that is refused, and every line that is told of it, without the file's name.
struct BrokenConfig: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let lines: [String]

    init(_ description: String, _ text: String, _ lines: [String]) {
        self.testDescription = description
        self.text = text
        self.lines = lines
    }

    /// A right API with more lines in its predictor section, which begin in line 6.
    static func predictor(_ description: String, _ text: String, _ lines: [String]) -> BrokenConfig {
        BrokenConfig(description, Self.api(with: text, indentation: 4), lines)
    }

    /// A right API with more sections, which begin in line 6.
    static func api(_ description: String, _ text: String, _ lines: [String]) -> BrokenConfig {
        BrokenConfig(description, Self.api(with: text, indentation: 2), lines)
    }

    static let all = Self.fileCases + Self.resourceCases + Self.predictorCases + Self.sectionCases + Self.splitterCases

    private static func api(with text: String, indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        let lines = text.split(separator: "\n").map { margin + $0 + "\n" }.joined()
        return "- name: iris\n  kind: RealtimeAPI\n  predictor:\n    type: python\n    path: predictor.py\n" + lines
    }
}
