import NIOCore
import NIOHTTP1

/// The HTTP/1 parser, and words for what it cannot read.
final class RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    private let parser: HTTPRequestDecoder
    private let configuration: GatewayConfiguration
    /// What the parser keeps until more of it comes.
    private enum Rest {
        case none, url, header
    }

    private var rest = Rest.none
    /// Of the head that `rest` is the end of.
    private var measure = HeadMeasure()
    private let framing: BodyFraming

    /// - Parameter framing: To be told of each part that this makes.
    init(_ configuration: GatewayConfiguration, framing: BodyFraming) {
        self.framing = framing
        var limits = NIOHTTPDecoderLimitConfiguration()
        // One bound for a path and for each part of a header; the narrower of the two is checked when the head is there.
        limits.maxHeaderFieldSize = max(configuration.maximumHeaderSize, configuration.maximumURLLength)
        limits.maxHeaderListSize = configuration.maximumHeadSize
        limits.maxHeaderFieldCount = configuration.maximumHeaders
        self.parser = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        self.configuration = configuration
    }

    func decoderAdded(context: ChannelHandlerContext) {
        self.parser.decoderAdded(context: context)
    }

    func decoderRemoved(context: ChannelHandlerContext) {
        self.parser.decoderRemoved(context: context)
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        if !self.framing.isInBody, buffer.hasTabInHead, !buffer.spaceOutTabs() { return .needMoreData }
        let before = buffer
        do {
            let state = try self.parser.decode(context: context, buffer: &buffer)
            let used = buffer.readerIndex - before.readerIndex
            if self.framing.isTooMuch(of: used) { throw Self.tooMuchFraming }
            if buffer.readableBytes == 0 {
                self.rest = .none
            } else if used > 0 || self.rest == .none {
                if self.rest == .none { self.measure = HeadMeasure() }
                self.measure.read(before.readableBytesView.prefix(used))
                self.rest = Self.endsInURL(before, used: used) ? .url : .header
            }
            return state
        } catch let error as HTTPParserError {
            throw self.explanation(of: error, before)
        }
    }

    private static var tooMuchFraming: GatewayError {
        .malformed("there are more than \(BodyFraming.limit) bytes in the body that belong to no chunk")
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        try self.parser.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
    }

    /// Whether the part that the parser keeps for later is a path: what stands before it in its line is a method.
    private static func endsInURL(_ bytes: ByteBuffer, used: Int) -> Bool {
        let line = bytes.readableBytesView.prefix(used).reversed().prefix { $0 != UInt8(ascii: "\n") }
        guard !line.isEmpty else { return bytes.readableBytesView.dropFirst(used).first == UInt8(ascii: "/") }
        return !line.contains(UInt8(ascii: ":"))
    }

    private func explanation(of error: HTTPParserError, _ bytes: ByteBuffer) -> GatewayError {
        guard error == .headerOverflow else { return Self.explanation(of: error, bytes) }
        let limit = self.configuration.maximumURLLength
        let line = bytes.readableBytesView.prefix { $0 != UInt8(ascii: "\n") }
        let path =
            switch self.rest {
            case .url: line
            case .none: line.drop { $0 != UInt8(ascii: " ") }.dropFirst()
            case .header: line.prefix(0)
            }
        let isLong = path.prefix { $0 != UInt8(ascii: " ") }.count > limit
        if isLong, self.rest == .url || path.first == UInt8(ascii: "/") { return .urlTooLong(limit: limit) }
        var measure = self.rest == .none ? HeadMeasure() : self.measure
        return .headersTooLarge(measure.limit(passedWith: bytes.readableBytesView, self.configuration))
    }

    /// - Parameter bytes: The first of them may tell another protocol.
    static func explanation(of error: HTTPParserError, _ bytes: ByteBuffer = ByteBuffer()) -> GatewayError {
        if bytes.readableBytesView.starts(with: [0x16, 0x03]) {
            return .malformed("this is a TLS handshake, and this port speaks plain HTTP")
        }
        if bytes.readableBytesView.starts(with: Array("PRI * HTTP/2".utf8)) {
            return .malformed("this is HTTP/2 without TLS, and this port speaks HTTP/1.1")
        }
        let reason =
            switch error {
            case .invalidMethod: "it begins with no method of HTTP"
            case .invalidURL, .invalidCharactersUsed: "its path holds what no path may hold"
            case .invalidVersion, .invalidConstant: "its first line ends with no version of HTTP/1"
            case .invalidHeaderToken: "the name or the value of a header holds what it may not hold"
            case .invalidContentLength: "its Content-Length is no length"
            case .unexpectedContentLength: "it has Content-Length twice, or beside Transfer-Encoding"
            case .invalidChunkSize: "the size of a chunk is no number"
            case .lfExpected, .strictModeAssertion: "a line does not end as lines do"
            case .closedConnection: "there are bytes after a request that said Connection: close"
            case .paused: "it asks for another protocol"
            case .invalidEOFState: "it ends before its end"
            case .headerOverflow: "its head is too long"
            default: "its head or its framing breaks the rules"
            }
        return .malformed("the request is not HTTP/1.1: \(reason)")
    }
}
