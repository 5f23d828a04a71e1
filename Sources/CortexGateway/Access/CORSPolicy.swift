import NIOHTTP1

/// Which web pages may read an API's answers, by their origins.
///
/// Credentials are never allowed: an API's key travels in a header that the page sets itself.
package enum CORSPolicy: Hashable, Sendable {
    case any
    /// Origins as browsers write them; none at all where it is empty.
    case only(Set<String>)

    /// - Parameter allowedOrigins: `https://example.com`, or `*` for any.
    package init(allowedOrigins: [String]) {
        self = allowedOrigins.contains("*") ? .any : .only(Set(allowedOrigins.map(Self.canonical)))
    }

    /// What a browser makes of an origin: lower case, without the port that the scheme implies.
    private static func canonical(_ origin: String) -> String {
        let origin = origin.lowercased()
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
            if origin.hasPrefix(scheme), origin.hasSuffix(port) { return String(origin.dropLast(port.count)) }
        }
        return origin
    }

    /// The headers of any answer, an error too, to a request from this origin.
    func answerHeaders(to origin: String?) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        switch self {
        case .any:
            guard origin != nil else { return [] }
            headers.append(("Access-Control-Allow-Origin", "*"))
        case .only(let origins):
            // Said without an origin too: a cache must not give a page an answer that was made for none, or another.
            headers.append(("Vary", "Origin"))
            guard let origin, origins.contains(origin) else { return headers }
            headers.append(("Access-Control-Allow-Origin", origin))
        }
        headers.append(("Access-Control-Expose-Headers", "*"))
        return headers
    }

    /// What `OPTIONS` is told beyond that: a preflight, what the page may send; all others, the methods.
    func preflightHeaders(for request: HTTPHeaders) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [("Allow", "GET, HEAD, OPTIONS, POST")]
        guard self.allowsOrigin(of: request), request.contains(name: "access-control-request-method") else {
            return headers
        }
        headers.append(("Access-Control-Allow-Methods", "GET, HEAD, POST"))
        // `*` would leave out Authorization (Fetch standard, CORS-preflight fetch, 7), so what was asked for is repeated.
        let asked = request[canonicalForm: "access-control-request-headers"].joined(separator: ", ")
        headers.append(("Access-Control-Allow-Headers", asked.isEmpty ? "*" : asked))
        // Browsers cap it at two hours or a day; a change of the policy should not take longer.
        headers.append(("Access-Control-Max-Age", "7200"))
        headers.append(("Vary", "Access-Control-Request-Headers"))
        return headers
    }

    private func allowsOrigin(of request: HTTPHeaders) -> Bool {
        guard let origin = request.first(name: "origin") else { return false }
        switch self {
        case .any: return true
        case .only(let origins): return origins.contains(origin)
        }
    }
}
