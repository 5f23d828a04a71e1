/// Reads the `networking` section.
enum NetworkingReader {
    /// The spec; nil where no endpoint is known, since neither it nor the API's name is right.
    static func read(
        of resource: Section,
        name: APIName?,
        isSplitter: Bool = false,
        _ context: ReadingContext
    ) -> NetworkingSpec? {
        let section = resource.section("networking")
        let endpoint = Self.endpoint(section, resource: resource, name: name)
        guard let section else { return endpoint.map { NetworkingSpec(endpoint: $0) } }
        var localPort: Int?
        if !isSplitter {
            localPort = section.integer("local_port", in: 1...65535)
            if localPort != nil { section.warn("local_port", "has no effect: all APIs answer on the server's port") }
        }
        let gateway: APIGateway? = section.choice("api_gateway")
        if gateway != nil { section.warn("api_gateway", "has no effect: there is no API Gateway here") }
        let (timeout, maxBodySize) = isSplitter ? Self.noLimits(section) : Self.limits(section, context)
        let origins = Self.origins(section, context)
        let apiKeys = Self.apiKeys(section, context)
        section.finish()
        guard let endpoint else { return nil }
        var networking = NetworkingSpec(endpoint: endpoint, localPort: localPort, apiGateway: gateway, apiKeys: apiKeys)
        if let timeout { networking.timeout = timeout }
        if let maxBodySize { networking.maxBodySize = maxBodySize }
        if let origins { networking.allowedOrigins = origins }
        return networking
    }

    private static func limits(
        _ section: Section,
        _ context: ReadingContext
    ) -> (timeout: Duration?, maxBodySize: ByteCount?) {
        context.require(.requestTimeout, "timeout", of: section)
        let timeout = section.duration("timeout", allowed: "over 0s, at most 1h") { $0 > .zero && $0 <= .seconds(3600) }
        context.require(.maxBodySize, "max_body_size", of: section)
        let maxBodySize = section.byteCount("max_body_size", minimum: ByteCount(1), maximum: ByteCount(1 << 50))?.value
        return (timeout, maxBodySize)
    }

    /// What an API bears it says itself, whoever leads requests to it.
    private static func noLimits(_ section: Section) -> (timeout: Duration?, maxBodySize: ByteCount?) {
        for key in ["timeout", "max_body_size"] where section.has(key) {
            // Known, so that it is not told a second time.
            _ = section.entry(key)
            section.fail(key, "is not a splitter's to set", allowed: "set it at the APIs that the splitter names")
        }
        return (nil, nil)
    }

    private static func endpoint(_ section: Section?, resource: Section, name: APIName?) -> String? {
        let text = section?.text("endpoint", allowed: "it must be a path, such as /iris")
        if let section, section.has("endpoint") {
            guard let text else { return nil }
            do throws(Endpoint.Flaw) {
                return try Endpoint(checking: text).path
            } catch {
                let (message, allowed) = error.explanation(of: text)
                section.fail("endpoint", message, allowed: allowed)
                return nil
            }
        }
        guard let name else { return nil }
        guard let endpoint = Endpoint("/\(name)") else {
            let message = "the endpoint /\(name), which the name stands for, is kept by the server for itself"
            resource.fail("name", message, allowed: "choose another name, or give networking.endpoint")
            return nil
        }
        return endpoint.path
    }

    private static func origins(_ networking: Section, _ context: ReadingContext) -> [String]? {
        context.require(.cors, "cors", of: networking)
        guard let section = networking.section("cors") else { return nil }
        defer { section.finish() }
        let allowed = "it must be * or an origin, such as https://example.com"
        return section.list("allow_origins", of: ["type": "string"])?.enumerated().compactMap { index, item in
            let text = item.scalar?.text ?? ""
            let host =
                text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
            let isOrigin =
                text == "*" || (!host.isEmpty && !host.contains { $0 == "/" || $0.isWhitespace || $0 == "*" })
            guard isOrigin else {
                let field = "\(section.field("allow_origins"))[\(index)]"
                section.log.add(at: item.position, api: section.api, field: field, "is \(item.kind)", allowed: allowed)
                return nil
            }
            return text
        }
    }

    private static func apiKeys(_ networking: Section, _ context: ReadingContext) -> [SecretReference] {
        context.require(.apiKeys, "api_keys", of: networking)
        guard let sections = networking.sections("api_keys") else { return [] }
        return sections.compactMap { section in
            defer { section.finish() }
            let variable = section.text("env", allowed: "it must be the name of a variable")
            let file = section.text("file", allowed: "it must be a path")
            guard section.has("env") != section.has("file") else {
                let message = section.has("env") ? "env stands beside file" : "names no key"
                section.log.add(
                    at: section.position,
                    api: section.api,
                    field: section.path,
                    message,
                    allowed: "each item is env: VARIABLE or file: path"
                )
                return nil
            }
            // The server, which reads it, runs in some folder of its own.
            if let path = file, !path.hasPrefix("/") {
                section.fail("file", "is the relative path \(path)", allowed: "name the file by its absolute path")
                return nil
            }
            return variable.map { .environment($0) } ?? file.map { .file($0) }
        }
    }
}
