/// What a section may hold: noted by a ``Section`` while a reader asks it for its keys.
///
/// The readers are the one definition of `cortex.yaml`. Run over a section that has nothing in it, they ask for every
/// key that they know, and the shape keeps what they asked for.
final class SectionShape {
    private enum Field {
        case value(JSONValue)
        case section(SectionShape, isList: Bool, allowsNull: Bool)
    }

    private var fields: [String: Field] = [:]
    private var required: Set<String> = []
    /// Other names of keys.
    private var aliases: [String: String] = [:]
    private var pending: Set<String> = []

    /// Notes a key; the first note of a key counts, since general methods are called by more special ones.
    func note(_ key: String, _ schema: JSONValue, allowed: String?, allowsNull: Bool = false) {
        guard self.fields[key] == nil, case .object(var members) = schema else { return }
        if let allowed {
            let plain = allowed.hasPrefix("it must be ") ? String(allowed.dropFirst(11)) : allowed
            members["description"] = .string(plain)
        }
        self.fields[key] = .value(allowsNull ? JSONValue.object(members).orNull : .object(members))
    }

    /// Notes a key that holds a section, or a list of sections, and returns the shape of it.
    func noteSection(_ key: String, isList: Bool, allowsNull: Bool) -> SectionShape {
        if case .section(let shape, _, _)? = self.fields[key] { return shape }
        let shape = SectionShape()
        self.fields[key] = .section(shape, isList: isList, allowsNull: allowsNull)
        return shape
    }

    func noteRequired(_ key: String) { self.required.insert(key) }

    /// Notes that a key is known, and not supported yet.
    func notePending(_ key: String) { self.pending.insert(key) }

    /// Notes that `alias` may be written for `key`.
    func noteAlias(_ alias: String, of key: String) { self.aliases[alias] = key }

    /// The sections below this one by their dotted paths, items of lists left out, with their keys.
    func sections(path: String = "") -> [String: Set<String>] {
        var sections: [String: Set<String>] = [path: Set(self.fields.keys)]
        for (key, field) in self.fields {
            guard case .section(let shape, isList: false, _) = field else { continue }
            sections.merge(shape.sections(path: path.isEmpty ? key : "\(path).\(key)")) { first, _ in first }
        }
        return sections
    }

    /// The section as a JSON Schema.
    func schema() -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for (key, field) in self.fields {
            properties[key] = self.schema(of: field, isPending: self.pending.contains(key))
        }
        var schema: [String: JSONValue] = ["type": "object", "additionalProperties": false]
        var required = self.required
        for (alias, key) in self.aliases {
            properties[alias] = properties[key]
            guard required.remove(key) != nil else { continue }
            schema["oneOf"] = [["required": [.string(key)]], ["required": [.string(alias)]]]
        }
        schema["properties"] = .object(properties)
        if !required.isEmpty { schema["required"] = .array(required.sorted().map { .string($0) }) }
        return .object(schema)
    }

    private func schema(of field: Field, isPending: Bool) -> JSONValue {
        var schema: JSONValue
        switch field {
        case .value(let value): schema = value
        case .section(let shape, let isList, let allowsNull):
            schema = isList ? ["type": "array", "items": shape.schema()] : shape.schema()
            if allowsNull { schema = schema.orNull }
        }
        guard isPending, case .object(var members) = schema else { return schema }
        // Shown by editors; whether a release supports it is for `cortex validate` to say.
        members["$comment"] = "not supported yet"
        return .object(members)
    }
}
