/// A text cut into lines as YAML cuts it, so that a position from its parser finds its line.
struct SourceText {
    /// Lines without their ends.
    let lines: [String.UnicodeScalarView]

    init(_ text: String) {
        var lines: [String.UnicodeScalarView] = []
        var line = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar {
            case "\n" where previous == "\r": continue
            case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(line)
                line = String.UnicodeScalarView()
            default: line.append(scalar)
            }
        }
        lines.append(line)
        self.lines = lines
    }

    /// The text of a line, counted from 1; nil beyond the end.
    func line(_ number: Int) -> String.UnicodeScalarView? {
        self.lines.indices.contains(number - 1) ? self.lines[number - 1] : nil
    }

    /// How many scalars the word at a position has: a quoted text whole, else up to the next separator; at least 1.
    func wordLength(at position: SourcePosition) -> Int {
        guard let line = self.line(position.line), position.column <= line.count else { return 1 }
        let word = line.dropFirst(position.column - 1)
        guard let first = word.first else { return 1 }
        if first == "\"" || first == "'" {
            var escaped = false
            for (offset, scalar) in word.enumerated().dropFirst() {
                if escaped {
                    escaped = false
                } else if scalar == "\\", first == "\"" {
                    escaped = true
                } else if scalar == first {
                    return offset + 1
                }
            }
            return 1
        }
        let end = word.firstIndex { " \t,:]}#".unicodeScalars.contains($0) } ?? word.endIndex
        return max(1, word.distance(from: word.startIndex, to: end))
    }
}
