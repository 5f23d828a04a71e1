import CortexSpec

/// A value as YAML that reads back as the same value.
enum YAMLText {
    /// Fields of the outermost maps in the order of `first`, then by name; nulls are left out.
    /// - Parameter keepsEmptyMaps: Whether empty maps are not left out too: `emptyDir: {}` says something.
    static func render(
        _ value: JSONValue,
        first: [String] = [],
        indent: Int = 0,
        keepsEmptyMaps: Bool = false
    ) -> String {
        self.lines(value, first: first, keepsEmptyMaps).map { String(repeating: " ", count: indent) + $0 }.joined(
            separator: "\n"
        )
    }

    private static func lines(_ value: JSONValue, first: [String], _ keepsEmptyMaps: Bool) -> [String] {
        switch value {
        case .object(let fields) where !fields.isEmpty:
            let named = first.filter { fields[$0] != nil }
            let keys = named + fields.keys.filter { !named.contains($0) }.sorted()
            return keys.flatMap { key -> [String] in
                guard let field = fields[key], field != .null, keepsEmptyMaps || field != .object([:]) else {
                    return []
                }
                if let scalar = self.scalar(field) { return ["\(self.quoted(key)): \(scalar)"] }
                return ["\(self.quoted(key)):"] + self.lines(field, first: [], keepsEmptyMaps).map { "  " + $0 }
            }
        case .array(let items) where !items.isEmpty:
            return items.flatMap { item -> [String] in
                if let scalar = self.scalar(item) { return ["- \(scalar)"] }
                let lines = self.lines(item, first: first, keepsEmptyMaps)
                return lines.enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
            }
        default: return [self.scalar(value) ?? ""]
        }
    }

    /// Nil for a collection that has items.
    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let text): self.quoted(text)
        case .array(let items): items.isEmpty ? "[]" : nil
        case .object(let fields): fields.isEmpty ? "{}" : nil
        }
    }

    private static let reserved: Set<String> = ["", "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"]

    /// Bare where no reader of YAML can take it for anything but this text.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x2F, 0x25: true
            default: false
            }
        }
        let startsAsText = text.utf8.first.map {
            (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2F
        }
        if isPlain, startsAsText ?? false, !self.reserved.contains(text.lowercased()) { return text }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": return "\\\""
            case "\\": return "\\\\"
            case "\n": return "\\n"
            case "\t": return "\\t"
            default:
                guard scalar.properties.generalCategory == .control else { return String(scalar) }
                let digits = String(scalar.value, radix: 16)
                return "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            }
        }
        return "\"\(escaped.joined())\""
    }
}
