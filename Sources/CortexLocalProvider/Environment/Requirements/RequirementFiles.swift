#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A project's `requirements.txt` with the files that it includes, as far as they are needed to name an environment.
package struct RequirementFiles: Hashable, Sendable {
    /// One file as it is; what is missing is left for uv to complain about.
    package struct File: Hashable, Sendable {
        /// Relative to the project.
        package var path: String
        package var content: [UInt8]
    }

    /// The one at the root first; empty where the project has none.
    package private(set) var files: [File] = []
    /// The packages that lines ask for by name, in lower case with `-` for each run of `-`, `_` and `.` (PEP 503).
    package private(set) var names: Set<String> = []
    /// Whether some requirement is itself in the project, such as `-e .`.
    package private(set) var leadIntoProject = false

    /// The name of the file at the project's root.
    package static let rootFile = "requirements.txt"

    /// No requirements.
    package init() {}

    package init(projectFolder: String) {
        var waiting = [Self.rootFile]
        var seen: Set<String> = []
        while let path = waiting.popLast() {
            let location = path.hasPrefix("/") ? path : "\(projectFolder)/\(path)"
            guard seen.insert(path).inserted, let content = FileManager.default.contents(atPath: location) else {
                continue
            }
            self.files.append(File(path: path, content: Array(content)))
            for line in Self.lines(content) {
                switch Self.classify(line) {
                case .includes(let file): waiting.append(Self.resolve(file, besides: path))
                case .leadsIntoProject: self.leadIntoProject = true
                case .names:
                    if let name = Self.name(of: line) { self.names.insert(name) }
                }
            }
        }
    }

    private static func name(of line: Substring) -> String? {
        let text = line.drop { $0.isWhitespace }
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard let first = name.first, first != "-", !name.isEmpty else { return nil }
        return name.lowercased().split { "-_.".contains($0) }.joined(separator: "-")
    }

    private enum Line {
        case includes(String)
        case leadsIntoProject
        case names
    }

    /// Lines without comments, continued ones joined.
    private static func lines(_ content: Data) -> [Substring] {
        String(decoding: content, as: UTF8.self)
            .replacing("\\\r\n", with: " ")
            .replacing("\\\n", with: " ")
            .split(whereSeparator: { $0.isNewline })
            .map { line in
                var isBlank = true
                // A `#` begins a comment at the start and after a blank; elsewhere it is a part of a URL.
                return line.prefix { character in
                    defer { isBlank = character.isWhitespace }
                    return !(character == "#" && isBlank)
                }
            }
    }

    private static func classify(_ line: Substring) -> Line {
        let words = line.split { $0.isWhitespace || $0 == "=" }
        guard let first = words.first else { return .names }
        let value = words.count > 1 ? String(words[1]) : ""
        let isRemote = line.contains("://") && !line.contains("file:")
        switch first {
        case "-r", "--requirement", "-c", "--constraint": return isRemote ? .names : .includes(value)
        case "-e", "--editable", "-f", "--find-links": return isRemote ? .names : .leadsIntoProject
        case let option where option.hasPrefix("--"): return .names
        case let option where option.hasPrefix("-r") || option.hasPrefix("-c"):
            return isRemote ? .names : .includes(String(option.dropFirst(2)))
        case let option where option.hasPrefix("-"): return .names
        case let requirement:
            let isPath = requirement.hasPrefix(".") || requirement.contains("/") || requirement.hasSuffix(".whl")
            return line.contains("file:") || isPath && !isRemote ? .leadsIntoProject : .names
        }
    }

    /// A path in the file at `path`, as one relative to the project; in one spelling, so that a circle of files ends.
    private static func resolve(_ file: String, besides path: String) -> String {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let joined = file.hasPrefix("/") ? file : "\(folder)/\(file)"
        var parts: [Substring] = []
        for part in joined.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        let isAbsolute = file.hasPrefix("/") || path.hasPrefix("/")
        return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
    }
}
