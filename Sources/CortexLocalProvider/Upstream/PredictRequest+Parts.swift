import CortexGateway
import CortexServing
import CortexTelemetry
import NIOCore
import NIOHTTP1

extension PredictRequest {
    /// What a request brought, of which a predictor names some.
    struct Parts: Sendable {
        var contentType: String?
        var query: String
        var headers: [(name: String, value: String)]
        var body: UpstreamBody
    }

    convenience init(_ request: UpstreamRequest, arguments: PredictArguments) {
        self.init(
            number: request.number,
            requestID: request.id,
            query: request.query,
            headers: request.headers,
            contentType: request.contentType,
            body: request.body,
            arguments: arguments,
            deadline: request.deadline,
            apiDeadline: request.apiDeadline,
            hops: request.hops,
            trace: request.isTraced ? Self.trace(in: request.headers) : nil,
            tellsStart: request.tellsStart
        )
    }

    convenience init(
        number: UInt64,
        requestID: String,
        _ parts: Parts,
        arguments: PredictArguments,
        deadline: NIODeadline,
        apiDeadline: NIODeadline
    ) {
        self.init(
            number: number,
            requestID: requestID,
            query: parts.query,
            headers: parts.headers,
            contentType: parts.contentType,
            body: parts.body,
            arguments: arguments,
            deadline: deadline,
            apiDeadline: apiDeadline,
            hops: 0,
            trace: nil
        )
    }

    private convenience init(
        number: UInt64,
        requestID: String,
        query: String,
        headers: some Collection<(name: String, value: String)>,
        contentType: String?,
        body: UpstreamBody,
        arguments: PredictArguments,
        deadline: NIODeadline,
        apiDeadline: NIODeadline,
        hops: UInt16,
        trace: [(name: String, value: String)]?,
        tellsStart: Bool = false
    ) {
        let payload = arguments.contains(.payload) ? Payload(contentType: contentType) : .none
        let body: Body =
            switch body {
            case _ where payload == .none: .inline(ByteBuffer())
            case .bytes(let bytes): .inline(bytes)
            case .pieces(let pieces): .pieces(pieces)
            case .spooled(let path, _): .spooled(path: path)
            }
        self.init(
            id: number,
            requestID: requestID,
            arguments: arguments,
            payload: payload,
            meta: Self.meta(
                query: arguments.contains(.query) ? query : nil,
                headers: arguments.contains(.headers) ? headers : nil,
                contentType: payload == .urlencoded || payload == .multipart ? contentType : nil,
                trace: trace
            ),
            body: body,
            deadline: deadline,
            apiDeadline: apiDeadline,
            hops: hops,
            tellsStart: tellsStart
        )
    }

    /// JSON of what is not nil; nil where all of it is.
    private static func meta(
        query: String?,
        headers: (some Collection<(name: String, value: String)>)?,
        contentType: String?,
        trace: [(name: String, value: String)]?
    ) -> ByteBuffer? {
        guard query != nil || headers != nil || contentType != nil || trace != nil else { return nil }
        var meta = ByteBuffer()
        meta.reserveCapacity(512)
        var separator: StaticString = "{"
        if let query {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"query\":")
            meta.writeJSON(query)
            separator = ","
        }
        if let contentType {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"content_type\":")
            meta.writeJSON(contentType)
            separator = ","
        }
        if let headers {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"headers\":")
            Self.write(headers, into: &meta)
            separator = ","
        }
        if let trace {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"trace\":")
            Self.write(trace, into: &meta)
        }
        meta.writeStaticString("}")
        return meta
    }

    private static func write(_ headers: some Collection<(name: String, value: String)>, into meta: inout ByteBuffer) {
        var pair: StaticString = "[["
        for (name, value) in headers {
            meta.writeStaticString(pair)
            meta.writeJSON(name.lowercased())
            meta.writeStaticString(",")
            meta.writeJSON(Self.latin1(value))
            pair = "],["
        }
        meta.writeStaticString(headers.isEmpty ? "[]" : "]]")
    }

    /// The headers of W3C Trace Context, each once: calls of the predictor to other APIs have them too.
    private static func trace(in headers: HTTPHeaders) -> [(name: String, value: String)] {
        var trace = headers["traceparent"].prefix(1).map { (name: "traceparent", value: $0) }
        let state = headers["tracestate"].joined(separator: ",")
        // Of anything else there is none, and some clients in Python would refuse to send it.
        if !state.isEmpty, state.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            trace.append((name: "tracestate", value: state))
        }
        return trace
    }

    /// A header's bytes, each as the scalar of that number.
    ///
    /// That is what Starlette, which reads headers as ISO 8859-1, would have.
    private static func latin1(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 >= 0x80 }) else { return value }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: value.utf8.lazy.map { Unicode.Scalar($0) })
        return String(text)
    }
}

extension PredictRequest.Payload {
    /// By the media type alone, in any case and with any parameters; what is none of the three is bytes.
    init(contentType: String?) {
        guard var contentType else {
            self = .bytes
            return
        }
        self = contentType.withUTF8 { utf8 in
            let media = utf8.prefix { $0 != UInt8(ascii: ";") }.drop(while: Self.isBlank)
            let end = media.lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? media.startIndex
            return Self(mediaType: media[..<end])
        }
    }

    private init(mediaType: Slice<UnsafeBufferPointer<UInt8>>) {
        if Self.equal(mediaType, "application/json") {
            self = .json
        } else if Self.equal(mediaType, "application/x-www-form-urlencoded") {
            self = .urlencoded
        } else if Self.equal(mediaType, "multipart/form-data") {
            self = .multipart
        } else {
            self = .bytes
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// - Parameter name: In lower case.
    private static func equal(_ text: Slice<UnsafeBufferPointer<UInt8>>, _ name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { name in
            zip(text, name).allSatisfy { (0x41...0x5A).contains($0) ? $0 | 0x20 == $1 : $0 == $1 }
        }
    }
}
