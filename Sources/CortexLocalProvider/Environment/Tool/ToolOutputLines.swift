import CortexServing

/// Turns a tool's output into lines fit for a terminal and a log.
///
/// A carriage return ends a line too (progress bars), empty lines are left out, long ones cut, control characters replaced.
struct ToolOutputLines {
    /// Longest line that is kept, in bytes; what a build prints beyond that helps nobody.
    static let longestLine = 8 << 10

    private var splitter = LineSplitter(limit: Self.longestLine, ellipsis: " …", endsAtReturns: true)

    /// The lines that these bytes complete.
    mutating func split(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        self.splitter.append(bytes) { lines.append(Self.shown($0)) }
        return lines
    }

    /// What is left at the end of the output, or so far; nil where there is nothing.
    mutating func finish() -> String? {
        var line: String?
        self.splitter.finish { line = Self.shown($0) }
        return line
    }

    /// Without escape sequences and other control characters; a tab is as good as a space.
    private static func shown(_ line: String) -> String {
        String(
            line.unicodeScalars.map { scalar in
                scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : Character(scalar)
            }
        )
    }
}
