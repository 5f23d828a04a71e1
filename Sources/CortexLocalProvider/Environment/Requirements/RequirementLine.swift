/// One line of a requirements file, continued ones joined, without its comment.
struct RequirementLine: Hashable, Sendable {
    /// Where it begins; the first line is 1.
    var number: Int
    var text: String

    /// What a line is, as far as it matters here.
    enum Kind: Hashable, Sendable {
        case includes(String)
        /// A requirement, or a setting, that is in the project itself.
        case leadsIntoProject(isEditable: Bool)
        case requiresHashes
        /// A requirement that is not in the project, or a setting.
        case other
    }

    /// The lines of a file that hold something.
    static func all(of content: some Collection<UInt8>) -> [RequirementLine] {
        var lines: [RequirementLine] = []
        var begun: RequirementLine?
        let text = String(decoding: content, as: UTF8.self)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let isContinued = line.last == "\\"
            let part = isContinued ? line.dropLast() : line
            var whole = begun ?? RequirementLine(number: index + 1, text: "")
            whole.text += (begun == nil ? "" : " ") + part
            begun = isContinued ? whole : nil
            if !isContinued { lines.append(whole) }
        }
        if let begun { lines.append(begun) }
        return lines.compactMap { line in
            var line = line
            line.text = Self.withoutComment(line.text)
            return line.text.isEmpty ? nil : line
        }
    }

    /// A `#` begins a comment at the start and after a blank; elsewhere it is a part of a URL.
    private static func withoutComment(_ text: String) -> String {
        var isBlank = true
        let content = text.prefix { character in
            defer { isBlank = character.isWhitespace }
            return !(character == "#" && isBlank)
        }
        let words = content.drop { $0.isWhitespace }
        return String(words.reversed().drop { $0.isWhitespace }.reversed())
    }

    var kind: Kind {
        let words = self.text.split { $0.isWhitespace || $0 == "=" }
        guard let first = words.first else { return .other }
        let value = words.count > 1 ? String(words[1]) : ""
        let isRemote = self.text.contains("://") && !self.text.contains("file:")
        switch first {
        case "--require-hashes": return .requiresHashes
        case "-r", "--requirement", "-c", "--constraint": return isRemote ? .other : .includes(value)
        case "-e", "--editable": return isRemote ? .other : .leadsIntoProject(isEditable: true)
        case "-f", "--find-links": return isRemote ? .other : .leadsIntoProject(isEditable: false)
        case let option where option.hasPrefix("--"): return .other
        case let option where option.hasPrefix("-r") || option.hasPrefix("-c"):
            return isRemote ? .other : .includes(String(option.dropFirst(2)))
        case let option where option.hasPrefix("-e"): return isRemote ? .other : .leadsIntoProject(isEditable: true)
        case let option where option.hasPrefix("-"): return .other
        case let requirement:
            let isPath = requirement.hasPrefix(".") || requirement.contains("/") || requirement.hasSuffix(".whl")
            return self.text.contains("file:") || isPath && !isRemote ? .leadsIntoProject(isEditable: false) : .other
        }
    }

    /// The package that is asked for by name, in its normal form; nil where the line asks for none.
    var name: String? {
        let name = self.text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard let first = name.first, first.isLetter || first.isNumber else { return nil }
        return Self.normalized(name)
    }

    /// A package's name in lower case with `-` for each run of `-`, `_` and `.` (PEP 503).
    static func normalized(_ name: some StringProtocol) -> String {
        name.lowercased().split { "-_.".contains($0) }.joined(separator: "-")
    }

    /// The variables that uv replaces in it: `${NAME}`.
    var variables: [String] {
        self.text.split(separator: "${", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }
}
