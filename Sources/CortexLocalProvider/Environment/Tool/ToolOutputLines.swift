/// Turns a tool's output into lines fit for a terminal and a log.
///
/// A carriage return ends a line too (progress bars), empty lines are left out, long ones cut, control characters replaced.
struct ToolOutputLines {
    /// Longest line that is kept, in bytes; what a build prints beyond that helps nobody.
    static let longestLine = 8 << 10

    private var line: [UInt8] = []
    private var isCut = false

    /// The lines that these bytes complete.
    mutating func split(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let line = self.finish() { lines.append(line) }
            } else if self.line.count < Self.longestLine {
                self.line.append(byte)
            } else {
                self.isCut = true
            }
        }
        return lines
    }

    /// What is left at the end of the output, or so far; nil where there is nothing.
    mutating func finish() -> String? {
        defer {
            self.line.removeAll(keepingCapacity: true)
            self.isCut = false
        }
        guard !self.line.isEmpty else { return nil }
        let text = String(decoding: self.line, as: UTF8.self).unicodeScalars.map { scalar in
            // Escape sequences and other control characters; a tab is as good as a space.
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : Character(scalar)
        }
        return String(text) + (self.isCut ? " …" : "")
    }
}
