import NIOCore
import NIOHTTP1

/// What can be told from the head of a request alone.
enum RequestCheck {
    static func problem(with exchange: Exchange, _ loop: LoopContext) -> GatewayError? {
        let (configuration, head) = (loop.configuration, exchange.head)
        if head.uri.utf8.count > configuration.maximumURLLength {
            return .urlTooLong(limit: configuration.maximumURLLength)
        }
        if head.version.major != 1 { return .malformed("this port speaks HTTP/1.1") }
        // RFC 9112, 3.2: exactly one.
        let hosts = exchange.known.host.count
        if head.version.minor >= 1, hosts != 1 {
            return .malformed(hosts == 0 ? "the Host header is missing" : "there are \(hosts) Host headers")
        }
        if let error = Self.missingKey(exchange) ?? Self.wrongMethod(exchange, loop) {
            return error
        }
        // Only now: whom the splitter itself refuses takes no turn. What an API keeps closed, no splitter opens.
        if head.method == .POST, exchange.beLed(by: loop.routes), let error = Self.missingKey(exchange) {
            return error
        }
        do throws(GatewayError) {
            try Self.countHops(exchange)
            try exchange.setDeadline()
        } catch {
            return error
        }
        // Wider than that, the parser would have let a header pass as long as a path may be.
        let size = configuration.maximumHeaderSize
        if size < configuration.maximumURLLength, exchange.known.longest > size {
            return .headersTooLarge(.size(size))
        }
        if let coding = Self.foreignTransferCoding(of: exchange) { return .unsupportedTransferCoding(coding) }
        let coding = ContentCoding(exchange.known.contentEncoding, of: head.headers)
        if case .unsupported(let name) = coding { return .unsupportedEncoding(name) }
        let limit = BodyLimit(of: exchange.target, server: configuration.maximumBodySize)
        do throws(GatewayError) { try exchange.body.expect(limit, coding) } catch { return error }
        return exchange.known.announcedLength > (coding.isIdentity ? limit.bytes : limit.encodedBytes)
            ? .bodyTooLarge(limit) : nil
    }

    /// A preflight never carries a key, and learns nothing but what the headers of every answer say.
    private static func missingKey(_ exchange: Exchange) -> GatewayError? {
        guard let route = exchange.route, let keys = route.keys, exchange.head.method != .OPTIONS else { return nil }
        switch keys.verdict(on: exchange.head.headers, exchange.known) {
        case .admitted: return nil
        case .refused: return .unauthorized(route.api)
        case .unreadable: return .keysUnreadable(route.api)
        }
    }

    /// Whether the parser takes what follows this request for another protocol, and reads no request any more.
    ///
    /// Clients may offer one (`Upgrade: h2c`) and go on in HTTP/1.1 where it is not taken up: on a connection of their own.
    static func leavesHTTP(_ head: HTTPRequestHead, _ known: KnownHeaders) -> Bool {
        known.hasUpgrade || head.method == .CONNECT
    }

    /// A circle of APIs that call each other is cut here.
    private static func countHops(_ exchange: Exchange) throws(GatewayError) {
        guard let text = exchange.first(exchange.known.hops), let route = exchange.route else { return }
        guard exchange.known.hops.count == 1, let hops = ChainHops.count(text) else {
            throw .malformed("X-Cortex-Hops is set by Cortex itself, to one number")
        }
        guard hops <= ChainHops.limit else { throw .chainLoop(route.api, hops: hops) }
        exchange.hops = hops
    }

    /// What a predictor calls an API that is not there; nil where it is there, or it is not a predictor that calls.
    private static func unknownAPI(_ exchange: Exchange, _ loop: LoopContext) -> String? {
        guard
            exchange.known.hops.isThere, let host = exchange.first(exchange.known.host),
            let name = RouteTable.name(inHost: host[...]), !loop.routes.knows(host: name)
        else { return nil }
        return String(name.dropFirst("api-".count).prefix(64))
    }

    private static func wrongMethod(
        _ exchange: Exchange,
        _ loop: LoopContext
    ) -> GatewayError? {
        let head = exchange.head
        switch exchange.target {
        case .nothing where !loop.isLoaded: return .starting
        case .nothing:
            if let name = Self.unknownAPI(exchange, loop) { return .noSuchName(name) }
            let path = String(Exchange.split(head.uri).path.prefix(200))
            return .noSuchPath(path: path, nearest: loop.routes.nearest(to: path))
        case .api:
            switch head.method {
            case .POST, .GET, .HEAD, .OPTIONS: return nil
            default: return .methodNotAllowed(allowed: "GET, HEAD, OPTIONS, POST")
            }
        case .apiReadiness, .liveness, .readiness, .index:
            switch head.method {
            case .GET, .HEAD: return nil
            default: return .methodNotAllowed(allowed: "GET, HEAD")
            }
        }
    }

    /// What a body is encoded with for its transfer, besides its chunks; nil where it is nothing.
    private static func foreignTransferCoding(of exchange: Exchange) -> String? {
        guard let first = exchange.first(exchange.known.transferEncoding) else { return nil }
        if exchange.known.transferEncoding.count == 1, first.lowercased() == "chunked" { return nil }
        return String(exchange.head.headers["transfer-encoding"].joined(separator: ", ").prefix(32))
    }

    /// What a client waits for before it sends its body.
    enum Expectation {
        case none, permission
        case unknown(String)

        var isPermission: Bool {
            guard case .permission = self else { return false }
            return true
        }
    }

    static func expectation(of exchange: Exchange) -> Expectation {
        // HTTP/1.0 does not know it.
        guard let expect = exchange.first(exchange.known.expect), exchange.head.version.minor >= 1 else { return .none }
        guard expect.lowercased() == "100-continue" else { return .unknown(String(expect.prefix(32))) }
        let hasBody = exchange.known.announcedLength > 0 || exchange.known.transferEncoding.isThere
        return hasBody ? .permission : .none
    }
}
