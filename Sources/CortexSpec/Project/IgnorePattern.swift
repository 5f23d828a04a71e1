/// One line of a `.cortexignore`.
struct IgnorePattern: Sendable {
    /// Begins with `!`: what it matches is not left out.
    let isNegated: Bool
    private let isForDirectories: Bool
    /// Without a `/` before its end, a pattern is of a name at any depth; else of a path from the root.
    private let isForNames: Bool
    /// What the pattern begins with before its first special character.
    private let literal: [UInt8]
    private let glob: GlobPattern

    /// Nil for an empty line or a comment.
    init?(line: ArraySlice<UInt8>) {
        guard line.first != UInt8(ascii: "#") else { return nil }
        var text = Self.trimmed(line)
        self.isNegated = text.first == UInt8(ascii: "!")
        if self.isNegated { text.removeFirst() }
        self.isForDirectories = text.last == UInt8(ascii: "/")
        if self.isForDirectories { text.removeLast() }
        guard !text.isEmpty else { return nil }
        self.isForNames = !text.contains(UInt8(ascii: "/"))
        if text.first == UInt8(ascii: "/") { text.removeFirst() }
        // git compares the literal beginning first and hands only the rest to its matcher, so that `a**/b` after it
        // begins with `**` and spans folders. So do we.
        self.literal = Array(text.prefix { !#"*?[\"#.utf8.contains($0) })
        self.glob = GlobPattern(text.dropFirst(self.literal.count), spansSlashes: self.isForNames)
    }

    func matches(_ path: ArraySlice<UInt8>, isDirectory: Bool) -> Bool {
        guard isDirectory || !self.isForDirectories else { return false }
        var text = path
        if self.isForNames, let slash = path.lastIndex(of: UInt8(ascii: "/")) {
            text = path[(slash + 1)...]
        }
        return text.starts(with: self.literal) && self.glob.matches(text.dropFirst(self.literal.count))
    }

    /// Without the carriage return, and without spaces at the end that no backslash keeps.
    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let line = line.last == 0x0D ? line.dropLast() : line
        var end = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            if line[index] == UInt8(ascii: "\\") {
                index += 1
                end = min(index + 1, line.endIndex)
            } else if line[index] != UInt8(ascii: " ") {
                end = index + 1
            }
            index += 1
        }
        return line[..<end]
    }
}
