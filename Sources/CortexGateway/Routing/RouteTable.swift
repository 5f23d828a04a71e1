import CortexSpec

/// All routes at one moment, as one event loop knows them: a request sees either the old or the new.
package struct RouteTable: Sendable {
    private var byEndpoint: [String: Route] = [:]
    private var byHost: [String: Route] = [:]
    private var byAPI: [APIName: Route] = [:]

    package init(_ routes: [Route] = []) {
        for route in routes { self.put(route) }
    }

    /// Puts a route in place of the one of the same API.
    mutating func put(_ route: Route) {
        if let former = self.byAPI[route.api], former.endpoint != route.endpoint { self.remove(route.api) }
        self.byEndpoint[route.endpoint] = route
        self.byHost["api-\(route.api)"] = route
        self.byAPI[route.api] = route
    }

    mutating func remove(_ api: APIName) {
        guard let route = self.byAPI.removeValue(forKey: api) else { return }
        self.byHost["api-\(api)"] = nil
        guard self.byEndpoint[route.endpoint]?.api == api else { return }
        // While APIs change theirs, two may have the same for a moment.
        self.byEndpoint[route.endpoint] = self.byAPI.values.first { $0.endpoint == route.endpoint }
    }

    package var routes: [Route] { self.byEndpoint.values.sorted { $0.api < $1.api } }
    package var isEmpty: Bool { self.byEndpoint.isEmpty }

    func route(of api: APIName) -> Route? { self.byAPI[api] }

    /// What a path (without its query) asks for.
    enum Target {
        case api(Route)
        case apiReadiness(Route)
        case liveness
        case readiness
        case index
        case nothing
    }

    /// - Parameter isChained: The request is a predictor's, to whom a host of this form is an API and nothing else.
    func target(path: Substring, host: Substring?, isChained: Bool = false) -> Target {
        let trimmed = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? path.dropLast() : path
        // First, since an API may have such a path for its endpoint.
        if let host, trimmed == "/predict" || trimmed == "/", let name = Self.name(inHost: host) {
            if let route = self.byHost[name] { return .api(route) }
            if isChained { return .nothing }
        }
        if let route = self.byEndpoint[String(path)] { return .api(route) }
        switch trimmed {
        case "/livez", "/healthz", "/ping": return .liveness
        case "/readyz": return .readiness
        case "/": return .index
        default: break
        }
        if let route = self.byEndpoint[String(trimmed)] { return .api(route) }
        if trimmed.hasSuffix("/predict"), let route = self.byEndpoint[String(trimmed.dropLast("/predict".count))] {
            return .api(route)
        }
        if trimmed.hasSuffix("/readyz"), let route = self.byEndpoint[String(trimmed.dropLast("/readyz".count))] {
            return .apiReadiness(route)
        }
        return .nothing
    }

    /// - Parameter host: In lower case, and without a port.
    func knows(host: String) -> Bool { self.byHost[host] != nil }

    /// `api-iris` of `API-Iris:8888`; nil for other hosts.
    static func name(inHost host: Substring) -> String? {
        guard host.utf8.count > 4, host.utf8.prefix(4).elementsEqual("api-".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else {
            return nil
        }
        return host.prefix { $0 != ":" }.lowercased()
    }

    /// The endpoint that differs least from `path`; nil where none is near.
    func nearest(to path: String) -> String? {
        let candidates = self.byEndpoint.keys.map { ($0, Self.distance(Array($0.utf8), Array(path.utf8.prefix(200)))) }
        guard let best = candidates.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else { return nil }
        return best.1 <= max(3, best.0.utf8.count / 2) ? best.0 : nil
    }

    /// Levenshtein's.
    private static func distance(_ lhs: [UInt8], _ rhs: [UInt8]) -> Int {
        var row = Array(0...rhs.count)
        for (i, left) in lhs.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in rhs.enumerated() {
                let substituted = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[rhs.count]
    }
}
