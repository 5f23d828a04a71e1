import Foundation

/// Which Python a project asks for, and where it does.
struct PythonWish: Hashable, Sendable {
    /// Such as `.python-version:1`.
    var place: String
    /// As it is written there.
    var text: String
    /// What would do, the best first.
    var ranges: [PythonRange]

    /// The file at a project's root that names a version, as pyenv and uv read it.
    static let file = ".python-version"

    /// What the project says in `.python-version`, else in its `pyproject.toml`; nil where it leaves the choice.
    ///
    /// - Throws: ``EnvironmentError`` for a version that cannot be read, or is of no CPython.
    static func read(projectFolder: String, pyProject: PyProject?) throws -> PythonWish? {
        if let content = FileManager.default.contents(atPath: "\(projectFolder)/\(Self.file)") {
            return try Self.parse(String(decoding: content, as: UTF8.self))
        }
        guard let line = pyProject?.requiresPython, let range = PythonRange(line.text) else { return nil }
        let text = "requires-python = \"\(line.text)\""
        return PythonWish(place: "pyproject.toml:\(line.number)", text: text, ranges: [range])
    }

    /// Reads the text of a `.python-version`: one version a line, any of which will do, the first best.
    static func parse(_ text: String) throws(EnvironmentError) -> PythonWish? {
        var wish: PythonWish?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let word = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            // pyenv's name for whatever Python the machine has.
            guard !word.isEmpty, word != "system" else { continue }
            let place = "\(Self.file):\(index + 1)"
            guard let range = Self.range(word) else { throw .badPythonVersion(place: place, text: word) }
            wish = wish ?? PythonWish(place: place, text: word, ranges: [])
            wish?.ranges.append(range)
        }
        return wish
    }

    private static func range(_ word: String) -> PythonRange? {
        var version = Substring(word.lowercased())
        for prefix in ["cpython", "python", "py"] where version.hasPrefix(prefix) {
            version = version.dropFirst(prefix.count)
            break
        }
        version = version.drop { $0 == "-" || $0 == "@" }
        // uv's full form goes on with the platform: `cpython-3.12.1-linux-x86_64-gnu`.
        return PythonRange(version.prefix { $0 != "-" })
    }
}
