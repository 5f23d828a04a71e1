import CortexSpec

extension APISpec {
    /// The spec with the values of secrets replaced, told by their names.
    var masked: APISpec {
        var spec = self
        for (key, value) in spec.predictor.env where SecretName.matches(key) && !value.isEmpty {
            spec.predictor.env[key] = SecretName.mask
        }
        spec.predictor.config = spec.predictor.config.mapValuesMasked
        return spec
    }
}

extension ResourceSpec {
    /// The spec with the values of secrets replaced, told by their names.
    var masked: ResourceSpec {
        switch self {
        case .api(let spec): .api(spec.masked)
        case .splitter: self
        }
    }
}

extension [String: JSONValue] {
    fileprivate var mapValuesMasked: Self {
        var masked = self
        for (key, value) in self {
            masked[key] = SecretName.matches(key) ? value.hidden : value.masked
        }
        return masked
    }
}

extension JSONValue {
    fileprivate var masked: JSONValue {
        switch self {
        case .object(let fields): .object(fields.mapValuesMasked)
        case .array(let items): .array(items.map(\.masked))
        case .null, .bool, .int, .double, .string: self
        }
    }

    /// Only text and collections can be secrets: `max_tokens: 512` is none.
    fileprivate var hidden: JSONValue {
        switch self {
        case .null, .bool, .int, .double: self
        case .string(let text): text.isEmpty ? self : .string(SecretName.mask)
        case .array, .object: .string(SecretName.mask)
        }
    }
}

/// Names whose values are not for display.
private enum SecretName {
    static let mask = "****"

    private static let words: Set<String> = [
        "secret", "secrets", "token", "password", "passwd", "passphrase", "credential", "credentials",
    ]

    /// `DB_PASSWORD`, `api-key`, `AWS_SECRET_ACCESS_KEY`; not `tokenizer` and not `key`.
    static func matches(_ name: String) -> Bool {
        let parts = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        if parts.contains(where: self.words.contains) { return true }
        return zip(parts, parts.dropFirst()).contains { $1 == "key" && ["api", "access", "private"].contains($0) }
            || parts == ["apikey"]
    }
}
