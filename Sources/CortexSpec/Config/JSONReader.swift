/// Reads `predictor.config`: any value that JSON can hold.
struct JSONReader {
    private let section: Section

    init(_ section: Section) {
        self.section = section
    }

    func object(_ entries: [YAMLEntry], path: String) -> [String: JSONValue] {
        var object: [String: JSONValue] = [:]
        for entry in entries {
            let field = "\(path).\(entry.key.text)"
            if entry.key.value != .text {
                let message = "the key is \(entry.key.kind), not text"
                self.fail(entry.position, field, message, allowed: "put it in quotes: \(entry.key.text.quoted)")
            }
            object[entry.key.text] = self.value(entry.value, path: field)
        }
        return object
    }

    private func value(_ node: YAMLNode, path: String) -> JSONValue {
        switch node.content {
        case .map(let entries): return .object(self.object(entries, path: path))
        case .list(let items):
            return .array(items.enumerated().map { self.value($1, path: "\(path)[\($0)]") })
        case .scalar(let scalar):
            switch scalar.value {
            case .null: return .null
            case .bool(let bool): return .bool(bool)
            case .int(let int): return .int(int)
            case .text: return .string(scalar.text)
            case .double(let double):
                if double.isFinite { return .double(double) }
                self.fail(
                    node.position,
                    path,
                    "is \(scalar.text)",
                    allowed: "JSON has finite numbers only; put it in quotes"
                )
            case .hugeInt:
                self.fail(node.position, path, "is beyond 64 bits", allowed: "put it in quotes")
            }
            return .null
        }
    }

    private func fail(_ position: SourcePosition, _ field: String, _ message: String, allowed: String) {
        self.section.log.add(at: position, api: self.section.api, field: field, message, allowed: allowed)
    }
}
