/// Problems as a person reads them on a terminal: each line followed by the source with a caret under the place.
package struct ProblemReport {
    private let source: SourceText
    private let colour: Bool

    /// - Parameters:
    ///   - text: The file that the problems are of.
    ///   - colour: Whether ANSI colours are written.
    package init(text: String, colour: Bool) {
        self.source = SourceText(text.first == "\u{FEFF}" ? String(text.dropFirst()) : text)
        self.colour = colour
    }

    /// The blocks of all problems, a blank line between two, a line end after the last.
    package func render(_ problems: [SpecProblem]) -> String {
        problems.map(self.block).joined(separator: "\n")
    }

    private func block(_ problem: SpecProblem) -> String {
        let accent = problem.severity == .error ? "1;31" : "1;33"
        var text = self.styled(problem.line(withHint: false), "1") + "\n"
        let number = String(problem.position.line)
        let margin = String(repeating: " ", count: number.count)
        if let window = self.window(of: problem.position) {
            text += self.styled("\(margin) |", "1;34") + "\n"
            text += self.styled("\(number) |", "1;34") + " \(window.text)\n"
            text += self.styled("\(margin) |", "1;34") + " " + String(repeating: " ", count: window.offset)
            text += self.styled(String(repeating: "^", count: window.length), accent) + "\n"
        }
        if let hint = problem.hint {
            text += self.styled("\(margin) =", "1;34") + " help: \(hint)\n"
        }
        if let detail = problem.detail {
            text += detail.split(separator: "\n", omittingEmptySubsequences: false).map { "\(margin)   \($0)\n" }
                .joined()
        }
        return text
    }

    /// The part of a line around a position that fits a terminal, with tabs and control characters made harmless.
    private func window(of position: SourcePosition) -> (text: String, offset: Int, length: Int)? {
        guard let line = self.source.line(position.line) else { return nil }
        let width = 100
        let column = position.column - 1
        let start = column < width - 20 ? 0 : column - width / 2
        var text = String.UnicodeScalarView()
        for scalar in line.dropFirst(start).prefix(width) {
            text.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        let length = min(self.source.wordLength(at: position), max(1, width - (column - start)))
        return (String(text), column - start, length)
    }

    private func styled(_ text: String, _ code: String) -> String {
        self.colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
