/// What a `pyproject.toml` says that matters for installing, read without a parser of TOML: uv reads it in earnest.
struct PyProject: Hashable, Sendable {
    /// The lines of `project.dependencies`.
    private(set) var dependencies: [RequirementLine] = []
    /// `project.requires-python`.
    private(set) var requiresPython: RequirementLine?
    /// Whether dependencies are found out by running the project's build.
    private(set) var isDynamic = false
    private(set) var hasBuildSystem = false
    /// Whether it holds settings of uv, which decide what is installed for any file beside it.
    private(set) var hasToolSettings = false
    /// Whether a tool that keeps dependencies elsewhere is at home here.
    private(set) var isOfOtherTool = false

    init(_ content: some Collection<UInt8>) {
        var section = ""
        /// The key whose array goes on over lines.
        var array: String?
        let text = String(decoding: content, as: UTF8.self)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.drop { $0.isWhitespace }
            guard !content.isEmpty, content.first != "#" else { continue }
            if array == nil, content.first == "[" {
                section = content.dropFirst().prefix { $0 != "]" }.filter { !$0.isWhitespace }
                self.note(section)
                continue
            }
            var value = content
            if array == nil {
                guard section == "project", let equals = content.firstIndex(of: "=") else { continue }
                let key = content[..<equals].filter { !$0.isWhitespace && $0 != "\"" }
                value = content[content.index(after: equals)...]
                if key == "requires-python", let text = Self.strings(value).texts.first {
                    self.requiresPython = RequirementLine(number: index + 1, text: text)
                }
                guard key == "dependencies" || key == "dynamic" else { continue }
                array = key
            }
            let (texts, isClosed) = Self.strings(value)
            if array == "dependencies" {
                self.dependencies += texts.map { RequirementLine(number: index + 1, text: $0) }
            } else if texts.contains("dependencies") {
                self.isDynamic = true
            }
            if isClosed { array = nil }
        }
    }

    private mutating func note(_ section: String) {
        if section == "build-system" { self.hasBuildSystem = true }
        if section == "tool.uv" || section.hasPrefix("tool.uv.") { self.hasToolSettings = true }
        let others = ["tool.poetry", "tool.flit", "tool.pdm", "tool.hatch"]
        if others.contains(where: { section == $0 || section.hasPrefix($0 + ".") }) { self.isOfOtherTool = true }
    }

    /// The string literals of a piece of an array, and whether the array ends in it.
    private static func strings(_ text: Substring) -> (texts: [String], isClosed: Bool) {
        var texts: [String] = []
        var current = ""
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open {
                    texts.append(current)
                    current = ""
                    quote = nil
                } else {
                    current.append(character)
                }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "#" {
                return (texts, false)
            } else if character == "]" {
                return (texts, true)
            }
        }
        return (texts, false)
    }
}
