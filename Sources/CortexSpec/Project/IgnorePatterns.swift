/// The patterns of a `.cortexignore`, which mean what they mean in a `.gitignore` at the project's root.
///
/// The rules are those of gitignore(5), and where it is silent, of git itself.
package struct IgnorePatterns: Sendable {
    private let patterns: [IgnorePattern]

    /// Reads the text of the file.
    ///
    /// Every text is legal: a pattern that is malformed matches nothing.
    package init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        self.patterns = bytes.split(separator: 0x0A).compactMap { IgnorePattern(line: $0) }
    }

    /// Whether a path is left out, on its own account or because a folder above it is.
    /// - Parameter path: Relative to the project's root, without `.` segments and without a trailing `/`.
    package func matches(path: String, isDirectory: Bool) -> Bool {
        let bytes = Array(path.utf8)
        // Nothing below a folder that is left out can be brought back.
        for (index, byte) in bytes.enumerated() where byte == 0x2F && self.verdict(bytes[..<index], isDirectory: true) {
            return true
        }
        return self.verdict(bytes[...], isDirectory: isDirectory)
    }

    /// What the last pattern says that matches the path itself.
    private func verdict(_ path: ArraySlice<UInt8>, isDirectory: Bool) -> Bool {
        let last = self.patterns.last { $0.matches(path, isDirectory: isDirectory) }
        return last.map { !$0.isNegated } ?? false
    }
}
