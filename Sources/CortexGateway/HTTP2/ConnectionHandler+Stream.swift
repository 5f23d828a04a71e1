import CortexTelemetry
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// Answers on a stream of HTTP/2: the same as elsewhere, as parts that are framed further out.
extension ConnectionHandler {
    /// A request as one of HTTP/1.1, which all checks are made for; what differs on the wire is behind it.
    static func asHTTP1(_ head: HTTPRequestHead) -> HTTPRequestHead {
        var head = head
        head.version = .http1_1
        return head
    }

    /// What the parser of HTTP/1.1 would have refused.
    func streamProblem(with exchange: Exchange) -> GatewayError? {
        let configuration = self.loop.configuration
        let (most, width, whole) =
            (configuration.maximumHeaders, configuration.maximumHeaderSize, configuration.maximumHeadSize)
        if exchange.known.longest > width { return .headersTooLarge(.size(width)) }
        if exchange.head.headers.count > most { return .headersTooLarge(.count(most)) }
        if exchange.head.uri.utf8.count + exchange.known.size > whole { return .headersTooLarge(.head(whole)) }
        let lengths = exchange.known.contentLength.count
        if lengths > 1 { return .malformed("there are \(lengths) content-length headers") }
        // RFC 9113, 8.2.1.
        return exchange.known.hasOuterBlanks ? .malformed("the value of a header begins or ends with a blank") : nil
    }

    /// Writes a whole answer, but for a file.
    func writeOnStream(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        body: ByteBuffer,
        tail: [ByteBuffer] = [],
        _ timing: UpstreamTiming,
        total: TimeAmount
    ) {
        let size = tail.reduce(body.readableBytes) { $0 + $1.readableBytes }
        let length = Self.mayHaveBody(answer.status) ? size : nil
        self.writeHeadOnStream(exchange, answer, length: length, timing, total: total)
        if length != nil, size > 0, !exchange.isHead {
            if let memory = exchange.memory {
                for piece in [body] + tail { self.writeByTheSlice(piece, of: memory) }
            } else {
                self.writeOnStream(body)
            }
        }
        self.endOnStream()
    }

    /// - Parameter length: Nil where it is not known, or there is no body.
    func writeHeadOnStream(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        length: Int?,
        _ timing: UpstreamTiming,
        total: TimeAmount
    ) {
        var headers = HTTPHeaders()
        if let length { headers.add(name: "content-length", value: "\(length)") }
        headers.add(name: "date", value: self.loop.clock.httpDate())
        headers.add(name: "x-request-id", value: exchange.id)
        if let mediaType = answer.mediaType { headers.add(name: "content-type", value: mediaType) }
        for header in answer.headers + Self.corsHeaders(exchange, answer) {
            guard let header = ResponseHead.foreign(header.name, header.value) else { continue }
            headers.add(name: header.name, value: header.value)
        }
        var value = ByteBuffer()
        value.write(atMost: Self.mostTiming) { Self.write(timing, total: total, into: &$0) }
        headers.add(name: "server-timing", value: String(buffer: value))
        let status = HTTPResponseStatus(statusCode: answer.status)
        self.writeOnStream(.head(HTTPResponseHead(version: .http2, status: status, headers: headers)))
    }

    private func writeOnStream(_ bytes: ByteBuffer) {
        self.writeOnStream(.body(.byteBuffer(bytes)))
    }

    /// Writes in pieces that each tell when they have left: the channel of a stream does not say what it holds.
    /// - Parameters:
    ///   - memory: Of the bytes, which the connection may hold longer than their stream lives.
    ///   - promise: Completes with the last piece.
    func writeByTheSlice(_ bytes: ByteBuffer, of memory: AnswerMemory?, promise: EventLoopPromise<Void>? = nil) {
        guard let context = self.context else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        self.unflushed += bytes.readableBytes
        var rest = bytes
        while let slice = rest.readSlice(length: min(self.slice, rest.readableBytes)), slice.readableBytes > 0 {
            let size = slice.readableBytes
            let isLast = rest.readableBytes == 0
            let sent = context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenComplete { result in
                withExtendedLifetime(memory) {}
                self.sliceLeft(size, result)
                if isLast { promise?.completeWith(result) }
            }
            self.writeOnStream(.body(.byteBuffer(slice)), promise: sent)
        }
    }

    private func sliceLeft(_ size: Int, _ result: Result<Void, any Error>) {
        if case .success = result { self.unflushed -= size }
        guard case .leaving(let answer) = self.state else { return }
        switch result {
        case .success: if self.unflushed == 0 { self.left(answer) }
        case .failure: self.failed(answer)
        }
    }

    /// Two of them are what the slowest reader takes in one window.
    var slice: Int {
        let configuration = self.loop.configuration
        return min(max(configuration.minimumDownloadRate.bytes(in: configuration.rateWindow) / 2, 1 << 10), 16 << 10)
    }

    func continueOnStream() {
        self.writeOnStream(.head(HTTPResponseHead(version: .http2, status: .continue)))
        self.context?.flush()
    }

    /// The answer is whole.
    ///
    /// Where the client still sends its request, it is told that nobody reads on.
    func endOnStream() {
        guard let context = self.context else { return }
        // Where both sides have ended the stream is closed within the write: nobody has left early then.
        self.state = .closing
        guard !self.isRequestWhole else {
            self.writeOnStream(.end(nil))
            context.flush()
            return
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        self.writeOnStream(.end(nil), promise: sent)
        context.flush()
        // Not before, since a reset takes along what is still on its way (RFC 9113, 8.1).
        sent.futureResult.assumeIsolated().whenSuccess {
            let codec = HTTP2FramePayloadToHTTP1ServerCodec.self
            guard let framed = try? context.pipeline.syncOperations.context(handlerType: codec) else { return }
            framed.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
        }
    }

    /// The stream has had its answer, and ends by itself once its reader has taken that.
    func leaveStream(_ exchange: Exchange) {
        self.state = .closing
        self.forgetBacklog()
        self.readOn()
        if self.context?.channel.isActive == true { self.awaitReader(of: exchange.bytesOut) }
    }

    /// How much of a small answer has left is not looked at, so the lowest rate is that of the whole.
    private func awaitReader(of bytes: Int) {
        let configuration = self.loop.configuration
        guard self.transport == .stream, configuration.minimumDownloadRate > 0 else { return }
        let time = TimeAmount.seconds(Int64(bytes / configuration.minimumDownloadRate))
        self.timer.begin(.piece, within: max(configuration.rateWindow, time), self)
    }

    private func writeOnStream(_ part: HTTPServerResponsePart, promise: EventLoopPromise<Void>? = nil) {
        guard let context = self.context else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        context.write(NIOAny(part), promise: promise)
    }
}
