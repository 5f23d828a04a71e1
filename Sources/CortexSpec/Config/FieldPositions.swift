/// Where the values of a config file stand, for problems that are found after it was read.
package struct FieldPositions {
    private let items: [YAMLNode]

    /// - Parameter text: A file that was found right; of any other nothing may be known.
    package init(of text: String) {
        self.items = ConfigDocument.items(of: text, log: ProblemLog(file: "")) ?? []
    }

    /// The place of a field's value; where that is not written, of the nearest section around it.
    ///
    /// - Parameter field: Dotted path below the API (`predictor.models.paths[0].model_path`).
    package func position(of field: String, api: APIName) -> SourcePosition {
        let item = self.items.enumerated().first { $1.apiLabel(index: $0) == api.description }?.element
        guard var node = item else { return SourcePosition(line: 1, column: 1) }
        for step in Self.steps(of: field) {
            guard let next = node.value(at: step) else { break }
            node = next
        }
        return node.position
    }

    private static func steps(of field: String) -> [YAMLPathStep] {
        field.split(separator: ".").flatMap { part -> [YAMLPathStep] in
            let names = part.split(separator: "[").map { $0.hasSuffix("]") ? $0.dropLast() : $0 }
            return names.enumerated().map { offset, name in
                offset == 0 ? .key(String(name)) : .index(Int(name) ?? 0)
            }
        }
    }
}

extension YAMLNode {
    /// The value inside this one; nil where there is none.
    fileprivate func value(at step: YAMLPathStep) -> YAMLNode? {
        switch (step, self.content) {
        case (.index(let index), .list(let items)):
            return items.indices.contains(index) ? items[index] : nil
        case (.key(let key), .map(let entries)):
            // What the reader takes for a model's path under its other name.
            let names = key == "model_path" ? [key, "path"] : [key]
            let entry = names.lazy.compactMap { name in entries.last { $0.key.text == name } }.first
            return entry.map { $0.value.isNull ? YAMLNode(position: $0.position, content: $0.value.content) : $0.value }
        default: return nil
        }
    }
}
