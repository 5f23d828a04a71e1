import CortexTelemetry
import NIOCore

/// Writes the head of an HTTP/1.1 response straight into the bytes that leave: one buffer, one write.
struct ResponseHead {
    enum Framing {
        case length(Int)
        case chunked
        /// HTTP/1.0: the end of the connection is the end of the body.
        case untilClose
        /// 204 and 304 have no body, and say nothing of one.
        case none
    }

    var status: Int
    var framing: Framing
    var keepAlive: Bool
    /// The client speaks HTTP/1.0, where staying connected has to be said.
    var isHTTP10: Bool

    /// The most bytes that `write` takes.
    static func most(date: String, requestID: String) -> Int { 256 + date.utf8.count + requestID.utf8.count }

    /// All but the headers that follow, and the empty line.
    func write(into head: inout ByteWriter, date: String, requestID: String) {
        head.writeStaticString("HTTP/1.1 ")
        head.writeDecimal(self.status)
        head.writeStaticString(" ")
        head.writeString(Self.reason(self.status))
        switch self.framing {
        case .length(let length):
            head.writeStaticString("\r\nContent-Length: ")
            head.writeDecimal(length)
        case .chunked: head.writeStaticString("\r\nTransfer-Encoding: chunked")
        case .untilClose, .none: break
        }
        head.writeStaticString("\r\nDate: ")
        head.writeString(date)
        head.writeStaticString("\r\nX-Request-ID: ")
        head.writeString(requestID)
        if !self.keepAlive {
            head.writeStaticString("\r\nConnection: close")
        } else if self.isHTTP10 {
            head.writeStaticString("\r\nConnection: keep-alive")
        }
        head.writeStaticString("\r\n")
    }

    /// Writes a header that this program makes itself.
    static func write(_ name: StaticString, _ value: String, into line: inout ByteWriter) {
        line.writeStaticString(name)
        line.writeStaticString(": ")
        line.writeString(value)
        line.writeStaticString("\r\n")
    }

    /// The most bytes that a header takes.
    static func most(_ name: String, _ value: String) -> Int { name.utf8.count + value.utf8.count + 4 }

    /// Headers that belong to the connection and to the framing of the body: never a predictor's to set.
    private static let owned: Set<String> = [
        "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "date", "x-request-id",
        "x-cortex-error", "x-cortex-not-started", "x-cortex-worker", "x-cortex-version",
    ]

    /// Writes a header from user code: dropped where its name is no token (RFC 9110, 5.6.2), or is the gateway's own;
    /// characters of the value that could end the line are written as spaces.
    ///
    /// - Parameter isUTF8: For a gateway, which reads that and writes ISO 8859-1 itself.
    static func writeForeign(_ name: String, _ value: String, isUTF8: Bool = false, into line: inout ByteWriter) {
        guard Self.isForeign(name) else { return }
        line.writeString(name)
        line.writeStaticString(": ")
        for scalar in value.unicodeScalars {
            // A field value is bytes; what a worker sends is ISO 8859-1.
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            if isUTF8, (0x80...0xFF).contains(scalar.value) {
                line.writeByte(0xC0 | byte >> 6)
                line.writeByte(0x80 | byte & 0x3F)
                continue
            }
            line.writeByte(scalar.value > 0xFF || byte < 0x20 && byte != 0x09 || byte == 0x7F ? 0x20 : byte)
        }
        line.writeStaticString("\r\n")
    }

    /// The same for HTTP/2, where headers are not lines; nil where it is dropped.
    static func foreign(_ name: String, _ value: String) -> (name: String, value: String)? {
        guard Self.isForeign(name) else { return nil }
        var scalars = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            let isControl = scalar.value < 0x20 && scalar != "\t" || scalar.value == 0x7F
            scalars.append(isControl || scalar.value > 0xFF ? " " : scalar)
        }
        // Space around a value is a fault there (RFC 9113, 8.2.1).
        while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
        return (name.lowercased(), String(scalars.drop { $0 == " " || $0 == "\t" }))
    }

    private static func isForeign(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(Self.isTokenByte) && !Self.owned.contains(name.lowercased())
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 418: "I'm a teapot"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 507: "Insufficient Storage"
        case 508: "Loop Detected"
        default: "Status"
        }
    }
}
