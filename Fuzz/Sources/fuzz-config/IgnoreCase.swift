import CortexSpec

/// `.cortexignore`: the last line is taken as a path, the lines before it as the patterns.
enum IgnoreCase {
    static func check(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let path = lines.last.map(String.init), !path.isEmpty, path.utf8.count <= 256 else { return }
        let patterns = IgnorePatterns(lines.dropLast().joined(separator: "\n"))
        let isFolderOut = patterns.matches(path: path, isDirectory: true)
        _ = patterns.matches(path: path, isDirectory: false)
        let below = patterns.matches(path: "\(path)/below", isDirectory: false)
        precondition(!isFolderOut || path.hasSuffix("/") || below, "what is below a folder that is left out is kept")
    }
}
