import Crypto
import Foundation

/// The `dependencies.sh` of a project, with what it can be seen to read.
///
/// It runs once for an environment, so its environment's name covers the files that it names, those that these name in turn,
/// and the whole project where it speaks of the folder as such (`pip install .`, `*.txt`).
struct InstallScript: Hashable, Sendable {
    /// The name of the file at the project's root.
    static let file = "dependencies.sh"

    /// Of the script and of the files that it names, in one text; equal for equal contents.
    private(set) var digest: String
    /// Whether any file of the project may matter.
    private(set) var readsWholeProject = false

    /// Nil where the project has none.
    init?(projectFolder: String) {
        guard let script = FileManager.default.contents(atPath: "\(projectFolder)/\(Self.file)") else { return nil }
        var hash = SHA256()
        var isWhole = false
        var waiting = [(path: Self.file, content: Array(script))]
        var seen: Set<String> = [Self.file]
        while let (path, content) = waiting.popLast() {
            hash.update(data: Array("\(path) \(content.count)\n".utf8))
            hash.update(data: content)
            guard content.count < Self.longestText, !content.contains(0) else { continue }
            let words = Self.words(content)
            // Only in what a shell runs does a `.` or a `*` mean the folder.
            if path.hasSuffix(".sh"), words.contains(where: Self.meansFolder) { isWhole = true }
            for word in words {
                for named in Self.files(named: word, in: projectFolder) where seen.insert(named).inserted {
                    guard let content = FileManager.default.contents(atPath: "\(projectFolder)/\(named)") else {
                        continue
                    }
                    waiting.append((named, Array(content)))
                }
            }
        }
        self.digest = hash.finalize().map { String($0, radix: 16) }.joined(separator: "-")
        self.readsWholeProject = isWhole
    }

    /// A file that is longer is data, and names none.
    private static let longestText = 1 << 18

    private static func words(_ content: [UInt8]) -> [Substring] {
        let text = String(decoding: content, as: UTF8.self)
        return text.split(whereSeparator: \.isNewline)
            .filter { $0.drop { $0.isWhitespace }.first != "#" }
            .flatMap { line in
                line.split { !($0.isLetter || $0.isNumber || "_./+@%~-*?$".contains($0)) }
            }
    }

    private static func meansFolder(_ word: Substring) -> Bool {
        [".", "./", "..", "$PWD", "pwd", "$CORTEX_PROJECT_DIR"].contains(word) || word.contains("*")
    }

    /// The project's files that a word means: the file itself, or all below a folder.
    private static func files(named word: Substring, in projectFolder: String) -> [String] {
        var path = word
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        while path.hasSuffix("/") { path = path.dropLast() }
        guard !path.isEmpty, !path.hasPrefix("/"),
            !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else { return [] }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: "\(projectFolder)/\(path)", isDirectory: &isFolder) else {
            return []
        }
        guard isFolder.boolValue else { return [String(path)] }
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: "\(projectFolder)/\(path)")) ?? []
        return names.sorted().map { "\(path)/\($0)" }
    }
}
