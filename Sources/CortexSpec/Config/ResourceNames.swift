/// What must be unique in a file: names, and endpoints.
enum ResourceNames {
    static func check(_ items: [YAMLNode], log: ProblemLog) {
        var names: [String: SourcePosition] = [:]
        var endpoints: [String: (position: SourcePosition, api: String)] = [:]
        for (index, item) in items.enumerated() {
            guard let entries = item.entries else { continue }
            let api = item.apiLabel(index: index)
            let nameNode = entries.first { $0.key.text == "name" }?.value
            guard let nameNode, let name = nameNode.scalar.flatMap({ APIName($0.text) }) else { continue }
            if let first = names[name.description] {
                let message = "the name is taken by the API at \(first)"
                log.add(
                    at: nameNode.position,
                    api: api,
                    field: "name",
                    message,
                    allowed: "every API needs a name of its own"
                )
                continue
            }
            names[name.description] = nameNode.position
            let networking = entries.first { $0.key.text == "networking" }?.value.entries
            let written = networking?.first { $0.key.text == "endpoint" }?.value
            let text = written?.scalar.flatMap { $0.value == .null ? nil : $0.text }
            guard let endpoint = Endpoint(text ?? "/\(name)") else { continue }
            let position = written?.position ?? nameNode.position
            let field = written == nil ? "name" : "networking.endpoint"
            if let other = endpoints[endpoint.path] {
                let message = "the endpoint \(endpoint.path) is taken by \(other.api) at \(other.position)"
                log.add(
                    at: position,
                    api: api,
                    field: field,
                    message,
                    allowed: "every API needs an endpoint of its own"
                )
            } else {
                endpoints[endpoint.path] = (position, api)
            }
        }
        Self.checkRoutes(endpoints, log: log)
    }

    /// An API answers at `<endpoint>/predict` and `<endpoint>/readyz` too, so no other may live there.
    private static func checkRoutes(_ endpoints: [String: (position: SourcePosition, api: String)], log: ProblemLog) {
        for (path, place) in endpoints {
            for suffix in ["/predict", "/readyz"] where path.hasSuffix(suffix) {
                guard let other = endpoints[String(path.dropLast(suffix.count))] else { continue }
                let message = "the endpoint \(path) is a route of \(other.api) at \(other.position)"
                log.add(
                    at: place.position,
                    api: place.api,
                    field: "networking.endpoint",
                    message,
                    allowed: "choose another endpoint"
                )
            }
        }
    }
}
