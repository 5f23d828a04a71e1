import NIOCore
import NIOHTTP1

/// What can be told from the head of a request alone.
enum RequestCheck {
    static let maximumURILength = 64 << 10

    static func problem(with head: HTTPRequestHead, _ exchange: inout Exchange, _ loop: LoopContext) -> GatewayError? {
        if head.uri.utf8.count > Self.maximumURILength { return .uriTooLong }
        if head.version.major != 1 { return .malformed("this port speaks HTTP/1.1") }
        // RFC 9112, 3.2: exactly one.
        let hosts = head.headers["host"].count
        if head.version.minor >= 1, hosts != 1 {
            return .malformed(hosts == 0 ? "the Host header is missing" : "there are \(hosts) Host headers")
        }
        if let error = Self.missingKey(head, exchange.target) ?? Self.wrongMethod(head, exchange.target, loop) {
            return error
        }
        do throws(GatewayError) { try exchange.setDeadline() } catch { return error }
        if let encoding = head.headers.first(name: "content-encoding"), encoding.lowercased() != "identity" {
            return .unsupportedEncoding(String(encoding.prefix(32)))
        }
        let limit = loop.configuration.maximumBodySize
        return Self.announcedLength(head) > limit ? .bodyTooLarge(limit: limit) : nil
    }

    /// A preflight never carries a key, and learns nothing but what the headers of every answer say.
    private static func missingKey(_ head: HTTPRequestHead, _ target: RouteTable.Target) -> GatewayError? {
        guard case .api(let route) = target, let keys = route.keys, head.method != .OPTIONS else { return nil }
        switch keys.verdict(on: head.headers) {
        case .admitted: return nil
        case .refused: return .unauthorized(route.api)
        case .unreadable: return .keysUnreadable(route.api)
        }
    }

    /// Whether the parser takes what follows this request for another protocol, and reads no request any more.
    ///
    /// Clients may offer one (`Upgrade: h2c`) and go on in HTTP/1.1 where it is not taken up: on a connection of their own.
    static func leavesHTTP(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    private static func wrongMethod(
        _ head: HTTPRequestHead,
        _ target: RouteTable.Target,
        _ loop: LoopContext
    ) -> GatewayError? {
        switch target {
        case .nothing where !loop.isLoaded: return .starting
        case .nothing:
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

    /// 0 where no length is announced (no body, or a chunked one).
    static func announcedLength(_ head: HTTPRequestHead) -> Int {
        head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    }

    static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        guard head.version.minor >= 1, let expect = head.headers.first(name: "expect") else { return false }
        return expect.lowercased() == "100-continue"
    }
}
