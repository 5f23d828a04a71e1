internal import Foundation

/// One entry of a config file as JSON, as it is kept where there is no file.
package enum ConfigEntry {
    /// The entry of that name, as it was written: without defaults, merges expanded.
    ///
    /// Nil where the text is no config file, or has no such entry.
    package static func json(of name: String, in text: String) -> JSONValue? {
        let items = ConfigDocument.items(of: text, log: ProblemLog(file: "")) ?? []
        return items.first { item in
            item.entries?.first { $0.key.text == "name" }?.value.scalar?.text == name
        }?.json
    }

    /// A config file with this entry alone: JSON is YAML.
    package static func text(of entry: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        guard let data = try? encoder.encode([entry]) else { return "[]\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}

extension YAMLNode {
    /// What JSON has no word for stays as it was written, as text.
    fileprivate var json: JSONValue {
        switch self.content {
        case .map(let entries):
            .object(Dictionary(entries.map { ($0.key.text, $0.value.json) }, uniquingKeysWith: { $1 }))
        case .list(let items): .array(items.map(\.json))
        case .scalar(let scalar):
            switch scalar.value {
            case .null: .null
            case .bool(let value): .bool(value)
            case .int(let value): .int(value)
            case .double(let value) where value.isFinite: .double(value)
            case .double, .hugeInt, .text: .string(scalar.text)
            }
        }
    }
}
