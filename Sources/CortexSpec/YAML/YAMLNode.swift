/// A value of a YAML document with the place it stands at; aliases and merges are expanded.
struct YAMLNode {
    enum Content {
        case scalar(YAMLScalar)
        case list([YAMLNode])
        case map([YAMLEntry])
    }

    var position: SourcePosition
    var content: Content

    /// What the value is, for messages.
    var kind: String {
        switch self.content {
        case .scalar(let scalar): scalar.kind
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The entries of a map; nil for any other value.
    var entries: [YAMLEntry]? {
        if case .map(let entries) = self.content { entries } else { nil }
    }

    var scalar: YAMLScalar? {
        if case .scalar(let scalar) = self.content { scalar } else { nil }
    }

    var isNull: Bool { self.scalar?.value == .null }
}

/// One key of a map and its value.
struct YAMLEntry {
    var key: YAMLScalar
    var position: SourcePosition
    var value: YAMLNode
}
