#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where packages come from: what the user has set for uv, else for pip, so that what pip installs here uv does too.
///
/// Addresses may hold passwords: they are handed on as variables, and never shown.
struct IndexSettings: Hashable, Sendable {
    /// Variables for uv, which reads none of pip's settings itself.
    let variables: [String: String]
    /// Whether no index is to be asked, which uv takes as an option only.
    let isWithoutIndex: Bool

    /// pip's name of a setting, uv's variable for it with an older one of the same meaning, and what uv puts between values.
    private static let settings: [(pip: String, uv: String, older: String?, separator: String)] = [
        ("index-url", "UV_DEFAULT_INDEX", "UV_INDEX_URL", " "),
        ("extra-index-url", "UV_INDEX", "UV_EXTRA_INDEX_URL", " "),
        ("find-links", "UV_FIND_LINKS", nil, ","),
        ("trusted-host", "UV_INSECURE_HOST", nil, " "),
        ("cert", "SSL_CERT_FILE", nil, " "),
        ("constraint", "UV_CONSTRAINT", nil, " "),
        ("timeout", "UV_HTTP_TIMEOUT", nil, " "),
        ("proxy", "ALL_PROXY", nil, " "),
    ]

    /// - Parameters:
    ///   - prefix: The environment that is installed into, which may have a `pip.conf` of its own.
    ///   - readFile: The text of a file; nil where it is not there.
    init(
        environment: ProcessEnvironment,
        prefix: String? = nil,
        readFile: (String) -> String? = Self.read
    ) {
        let configured = Self.configured(environment, prefix: prefix, readFile: readFile)
        var variables: [String: String] = [:]
        for (pip, uv, older, separator) in Self.settings {
            if let value = environment[uv] ?? older.flatMap({ environment[$0] }) {
                variables[uv] = value
                continue
            }
            let name = "PIP_" + pip.uppercased().replacing("-", with: "_")
            guard let value = environment[name] ?? configured[pip] else { continue }
            variables[uv] = value.split(whereSeparator: { $0.isWhitespace }).joined(separator: separator)
        }
        self.variables = variables
        let withoutIndex = environment["UV_NO_INDEX"] ?? environment["PIP_NO_INDEX"] ?? configured["no-index"] ?? ""
        self.isWithoutIndex = ["1", "on", "true", "yes"].contains(withoutIndex.filter { !$0.isWhitespace }.lowercased())
    }

    /// What pip's files say, the nearest one last.
    private static func configured(
        _ environment: ProcessEnvironment,
        prefix: String?,
        readFile: (String) -> String?
    ) -> [String: String] {
        let named = environment["PIP_CONFIG_FILE"]
        // pip's own way to say that no file counts.
        guard named != "/dev/null" else { return [:] }
        var files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/Library/Application Support/pip/pip.conf"]
        if let home = environment["HOME"] {
            files += [
                "\(home)/.pip/pip.conf", "\(home)/Library/Application Support/pip/pip.conf",
                "\(environment["XDG_CONFIG_HOME"] ?? "\(home)/.config")/pip/pip.conf",
            ]
        }
        var values: [String: String] = [:]
        if let prefix { files.append("\(prefix)/pip.conf") }
        for file in files + (named.map { [$0] } ?? []) {
            values.merge(readFile(file).map(Self.parse) ?? [:]) { $1 }
        }
        return values
    }

    /// The `[global]` and `[install]` sections of pip's ini files; a line that is indented continues the one before.
    private static func parse(_ text: String) -> [String: String] {
        var sections: [Substring: [String: String]] = [:]
        var section: Substring = ""
        var key: String?
        for line in text.split(whereSeparator: { $0.isNewline }) {
            let content = line.drop { $0.isWhitespace }
            if content.isEmpty || content.first == "#" || content.first == ";" { continue }
            if line.first?.isWhitespace == true, let key {
                sections[section, default: [:]][key, default: ""] += " \(content)"
            } else if content.first == "[" {
                section = content.dropFirst().prefix { $0 != "]" }
                key = nil
            } else if let equals = content.firstIndex(where: { $0 == "=" || $0 == ":" }) {
                let name = content[..<equals].filter { !$0.isWhitespace }.lowercased().replacing("_", with: "-")
                sections[section, default: [:]][name] = String(content[content.index(after: equals)...])
                key = name
            }
        }
        return (sections["global"] ?? [:]).merging(sections["install"] ?? [:]) { $1 }
    }

    private static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
