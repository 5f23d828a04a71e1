import CortexGateway
import CortexTelemetry
import NIOCore
import NIOHTTP1

/// The head of a request as a replica gets it: what client and gateway say, without what was between the two of them.
enum GatewayHeaders {
    /// Hop by hop (RFC 9110, 7.6.1), or made anew by whoever sends.
    private static let own = HeaderNames([
        "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "expect", "content-length", "x-request-id", "x-request-timeout",
    ])

    /// All of it, its empty line too.
    ///
    /// - Parameter room: Bytes that are to follow in the same memory.
    static func head(of request: UpstreamRequest, host: String, now: NIODeadline, room: Int = 0) -> ByteBuffer {
        let query = Self.visible(request.query)
        let left = max(request.deadline - now, .microseconds(1))
        let named = Self.named(by: request.headers)
        var most = 256 + host.utf8.count + query.utf8.count + request.id.utf8.count
        for (name, value) in request.headers { most += name.utf8.count + value.utf8.count + 4 }
        var buffer = ByteBufferAllocator().buffer(capacity: most + room)
        buffer.write(atMost: most) { lines in
            lines.writeStaticString("POST /predict")
            if !query.isEmpty {
                lines.writeStaticString("?")
                lines.writeString(query)
            }
            lines.writeStaticString(" HTTP/1.1\r\nHost: ")
            lines.writeString(host)
            lines.writeStaticString("\r\nX-Cortex-Gateway: 1\r\nX-Request-ID: ")
            lines.writeString(request.id)
            lines.writeStaticString("\r\nX-Request-Timeout: ")
            lines.writeDecimal(Int(left.nanoseconds))
            lines.writeStaticString("ns\r\nContent-Length: ")
            lines.writeDecimal(request.body.size)
            if case .spooled = request.body { lines.writeStaticString("\r\nExpect: 100-continue") }
            lines.writeStaticString("\r\n")
            for (name, value) in request.headers where Self.isPassed(name, named) {
                // HTTP/2 carries what would end a line here, and begin a request of its own.
                guard Self.isLine(name), Self.isLine(value) else { continue }
                lines.writeString(name)
                lines.writeStaticString(": ")
                lines.writeString(value)
                lines.writeStaticString("\r\n")
            }
            lines.writeStaticString("\r\n")
        }
        return buffer
    }

    private static func isPassed(_ name: String, _ named: Set<String>) -> Bool {
        guard !Self.own.contains(name), named.isEmpty || !named.contains(name.lowercased()) else { return false }
        // What gateway and replica say to each other is nobody else's to say.
        return !HeaderNames.begins(name, with: "x-cortex-") || HeaderNames.equal(name, "x-cortex-hops")
    }

    private static func isLine(_ text: String) -> Bool {
        var text = text
        // Without an early end, so that many bytes are looked at at once.
        return text.withUTF8 { $0.reduce(true) { $0 && ($1 >= 0x20 && $1 != 0x7F || $1 == 0x09) } }
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
}
