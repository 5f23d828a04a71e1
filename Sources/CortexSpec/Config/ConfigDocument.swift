/// The file as a whole: one YAML document that is a list of maps.
enum ConfigDocument {
    /// The maps of the list, a single map being a list of one; nil where the file is no such thing.
    static func items(of text: String, log: ProblemLog) -> [YAMLNode]? {
        let start = SourcePosition(line: 1, column: 1)
        let shape = "a list of APIs, each with name, kind and predictor"
        do throws(YAMLComposer.Failure) {
            let composer = try YAMLComposer(text)
            if let second = composer.documents.dropFirst().first {
                let position = second.position
                log.add(
                    at: position,
                    "a second YAML document begins here",
                    allowed: "put all APIs in one list and remove the ---"
                )
            }
            guard let first = composer.documents.first else {
                log.add(at: start, "the file is empty", allowed: "it must be \(shape)")
                return nil
            }
            var tree = YAMLTree(firstOfDuplicates: composer.firstOfDuplicates)
            let root = tree.build(first)
            for finding in tree.findings {
                let (api, field) = Self.place(of: finding.path, in: root)
                log.add(at: finding.position, api: api, field: field, finding.message, allowed: finding.allowed)
            }
            return root.flatMap { Self.items(of: $0, shape: shape, log: log) }
        } catch {
            log.add(at: error.position, error.message, allowed: error.allowed, hint: error.hint)
            return nil
        }
    }

    private static func items(of root: YAMLNode, shape: String, log: ProblemLog) -> [YAMLNode]? {
        switch root.content {
        case .map:
            return [root]
        case .scalar where root.isNull:
            log.add(at: SourcePosition(line: 1, column: 1), "the file holds no API", allowed: "it must be \(shape)")
            return nil
        case .list(let items):
            if items.isEmpty { log.add(at: root.position, "the file holds no API", allowed: "it must be \(shape)") }
            for (index, item) in items.enumerated() where item.entries == nil {
                log.add(
                    at: item.position,
                    api: "item \(index + 1)",
                    "is \(item.kind)",
                    allowed: "it must be a map with name, kind and predictor"
                )
            }
            return items
        case .scalar:
            log.add(at: root.position, "the file is \(root.kind)", allowed: "it must be \(shape)")
            return nil
        }
    }

    /// The API and the dotted field of a path from the root.
    private static func place(of path: [YAMLPathStep], in root: YAMLNode?) -> (api: String?, field: String?) {
        var steps = path[...]
        var item = root
        var index = 0
        if case .list(let items)? = root?.content {
            guard case .index(let first)? = steps.popFirst(), items.indices.contains(first) else { return (nil, nil) }
            item = items[first]
            index = first
        }
        var field = ""
        for step in steps {
            switch step {
            case .key(let key): field += (field.isEmpty ? "" : ".") + key
            case .index(let index): field += "[\(index)]"
            }
        }
        return (item.map { $0.apiLabel(index: index) }, field.isEmpty ? nil : field)
    }
}

extension YAMLNode {
    /// How problems call an item of the file: by its name, else by its number.
    func apiLabel(index: Int) -> String {
        let name = self.entries?.first { $0.key.text == "name" }?.value.scalar
        guard let name, name.value != .null, !name.text.isEmpty else { return "item \(index + 1)" }
        return APIName(name.text)?.description ?? name.text.quoted
    }
}
