import CortexGateway
import NIOCore
import NIOHTTP1

/// What gateway and replica say to each other in headers: set by nobody else, and never passed on.
enum GatewayHeaders {
    /// Hop by hop (RFC 9110, 7.6.1), or made anew by whoever sends.
    private static let ownOfRequest: Set<String> = [
        "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "expect",
        "content-length", "x-request-id", "x-request-timeout",
    ]
    private static let ownOfAnswer: Set<String> = [
        "connection", "keep-alive", "transfer-encoding", "trailer", "upgrade", "content-length", "date", "x-request-id",
    ]

    /// The head of a request as a replica gets it.
    static func head(of request: UpstreamRequest, host: String, now: NIODeadline) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.headers.count + 6)
        headers.add(name: "Host", value: host)
        headers.add(name: ReplicaProtocol.gateway, value: "1")
        headers.add(name: "X-Request-ID", value: request.id)
        let left = max(request.deadline - now, .microseconds(1))
        headers.add(name: "X-Request-Timeout", value: "\(left.nanoseconds)ns")
        headers.add(name: "Content-Length", value: "\(request.body.size)")
        if case .spooled = request.body { headers.add(name: "Expect", value: "100-continue") }
        let named = Self.named(by: request.headers)
        for (name, value) in request.headers {
            let known = name.lowercased()
            guard !Self.ownOfRequest.contains(known), !named.contains(known) else { continue }
            if known.hasPrefix("x-cortex-"), known != "x-cortex-hops" { continue }
            // HTTP/2 carries what would end a line here, and begin a request of its own.
            guard Self.isLine(name), Self.isLine(value) else { continue }
            headers.add(name: name, value: value)
        }
        let path = request.query.isEmpty ? "/predict" : "/predict?\(Self.visible(request.query))"
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
    }

    private static func isLine(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// A query without what ends it on a line.
    private static func visible(_ query: String) -> String {
        let isVisible = query.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard !isVisible else { return query }
        var bytes: [UInt8] = []
        for byte in query.utf8 {
            if byte > 0x20, byte != 0x7F {
                bytes.append(byte)
            } else {
                bytes += Array(((byte < 0x10 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Those that `Connection` says are for the next hop only.
    private static func named(by headers: HTTPHeaders) -> Set<String> {
        guard headers.contains(name: "connection") else { return [] }
        return Set(headers[canonicalForm: "connection"].map { $0.lowercased() })
    }

    /// What of an answer's headers goes on to the client.
    static func passedOn(_ headers: HTTPHeaders) -> [(name: String, value: String)] {
        // The last one is the replica's own; others are the predictor's.
        let ownTiming = headers["server-timing"].count - 1
        var timings = 0
        var passed: [(name: String, value: String)] = []
        for (name, value) in headers {
            let known = name.lowercased()
            if Self.ownOfAnswer.contains(known) || known.hasPrefix("x-cortex-") { continue }
            if known == "server-timing" {
                timings += 1
                if timings > ownTiming { continue }
            }
            passed.append((name, value))
        }
        return passed
    }

    /// What a replica says of the time that an answer took.
    static func timing(_ headers: HTTPHeaders, elapsed: TimeAmount) -> UpstreamTiming {
        var timing = UpstreamTiming(
            worker: headers.first(name: ReplicaProtocol.worker),
            version: headers.first(name: ReplicaProtocol.version).flatMap { Int($0) }
        )
        timing.predict = headers["server-timing"].last.flatMap { Self.duration(of: "predict", in: $0) }
        // All else: the way there and back, and what it waited at either end.
        timing.queue = timing.predict.map { max(elapsed - $0, .zero) } ?? elapsed
        return timing
    }

    /// `predict;dur=1.25` of `queue;dur=0.1, predict;dur=1.25`, which is milliseconds.
    static func duration(of name: String, in text: String) -> TimeAmount? {
        for metric in text.split(separator: ",") {
            let parts = metric.drop { $0 == " " }.split(separator: ";dur=", maxSplits: 1)
            guard parts.count == 2, parts[0] == name, let milliseconds = Double(parts[1]),
                (0..<1e12).contains(milliseconds)
            else { continue }
            return .nanoseconds(Int64(milliseconds * 1e6))
        }
        return nil
    }
}
