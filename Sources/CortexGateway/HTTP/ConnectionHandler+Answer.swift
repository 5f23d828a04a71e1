import CortexTelemetry
import NIOCore
import NIOHTTP1

/// Answers: what the upstream says, as bytes to the client.
extension ConnectionHandler {
    func receive(_ event: UpstreamEvent, of number: UInt64) {
        switch self.state {
        case .awaiting(let exchange) where exchange.number == number: self.awaited(event, exchange)
        case .streaming(let exchange) where exchange.number == number: self.streamed(event, exchange)
        case .receiving(let exchange) where exchange.number == number: self.probed(event, exchange)
        default: break  // of a request whose client has left
        }
    }

    private func awaited(_ event: UpstreamEvent, _ exchange: Exchange) {
        switch event {
        case .answer(let answer, let body, let timing): self.answer(exchange, answer, body, timing)
        case .failed(let failure, let timing):
            guard let route = exchange.route else { return }
            self.refuse(.upstream(route.api, failure), exchange, timing)
        case .head(let answer, let timing): self.beginStream(exchange, answer, timing)
        case .started where exchange.isFromGateway: self.write(ByteBuffer(staticString: ReplicaProtocol.startedStatus))
        case .started, .chunk, .end, .room, .noRoom: break
        }
    }

    private func streamed(_ event: UpstreamEvent, _ exchange: Exchange) {
        switch event {
        case .chunk(let bytes): self.stream(bytes, exchange)
        case .end(let isWhole, let timing): self.endStream(exchange, isWhole: isWhole, timing)
        case .answer, .failed, .head, .started, .room, .noRoom: break
        }
    }

    private func probed(_ event: UpstreamEvent, _ exchange: Exchange) {
        switch event {
        case .room: self.hasRoom(exchange)
        case .noRoom(let failure): self.hasNoRoom(failure, exchange)
        case .answer, .failed, .head, .started, .chunk, .end: break
        }
    }

    // MARK: Whole answers

    private func answer(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        _ body: UpstreamAnswerBody,
        _ timing: UpstreamTiming
    ) {
        switch body {
        case .bytes(let bytes, let tail): self.answer(exchange, answer, bytes, tail: tail, timing)
        case .file(let descriptor, let size, let owner):
            // Room of the disk that the request took is free for its answer.
            exchange.body.release()
            do throws(GatewayError) {
                let file = try AnswerFile(descriptor: descriptor, size: size, owner: owner, self.loop.bodies.budget)
                self.answer(exchange, answer, file, timing)
            } catch {
                self.refuse(error, exchange, timing)
            }
        }
    }

    func answer(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        _ bytes: ByteBuffer,
        tail: [ByteBuffer] = [],
        _ timing: UpstreamTiming
    ) {
        guard let context = self.context else { return }
        let now = NIODeadline.now()
        let hasBody = Self.mayHaveBody(answer.status)
        let size = tail.reduce(bytes.readableBytes) { $0 + $1.readableBytes }
        if size > AnswerMemory.uncounted, hasBody, !self.holds(size, exchange) {
            return self.spool([bytes] + tail, exchange, answer, timing)
        }
        exchange.bytesOut = hasBody ? size : 0
        if self.transport == .stream {
            self.writeOnStream(exchange, answer, body: bytes, tail: tail, timing, total: now - exchange.arrival)
            return self.written(exchange, status: answer.status, timing, errorCode: answer.errorCode, now: now)
        }
        // A small body is copied behind its head; a large one follows as it is, and all leaves in one write.
        let isSmall = size <= 16 << 10
        var buffer = self.head(
            of: answer,
            exchange,
            framing: hasBody ? .length(size) : .none,
            timing,
            total: now - exchange.arrival,
            room: isSmall ? size : 0,
            context.channel.allocator
        )
        if !hasBody {
            self.write(buffer)
        } else if isSmall {
            buffer.writeImmutableBuffer(bytes)
            self.write(buffer)
        } else {
            for piece in [buffer, bytes] + tail {
                context.write(self.wrapOutboundOut(.byteBuffer(piece)), promise: nil)
            }
            context.flush()
        }
        self.written(exchange, status: answer.status, timing, errorCode: answer.errorCode, now: now)
    }

    // MARK: Streams

    private func beginStream(_ exchange: Exchange, _ answer: UpstreamAnswer, _ timing: UpstreamTiming) {
        guard let context = self.context else { return }
        exchange.streamStatus = answer.status
        guard self.transport != .stream else {
            self.writeHeadOnStream(exchange, answer, length: answer.length, timing, total: .now() - exchange.arrival)
            context.flush()
            self.state = .streaming(exchange)
            return
        }
        let framing: ResponseHead.Framing
        if !Self.mayHaveBody(answer.status) {
            framing = .none
        } else if let length = answer.length {
            framing = .length(length)
            exchange.streamLength = length
        } else if exchange.isHTTP10 {
            framing = .untilClose
            exchange.keepAlive = false
        } else {
            framing = .chunked
        }
        // Up to the first bytes of the answer; what comes after is in the access log alone.
        let total = NIODeadline.now() - exchange.arrival
        let allocator = context.channel.allocator
        let buffer = self.head(of: answer, exchange, framing: framing, timing, total: total, allocator)
        self.state = .streaming(exchange)
        self.write(buffer)
    }

    private func stream(_ bytes: ByteBuffer, _ exchange: Exchange) {
        guard let context = self.context, Self.mayHaveBody(exchange.streamStatus) else { return }
        exchange.bytesOut += bytes.readableBytes
        guard self.transport != .stream else {
            self.writeByTheSlice(bytes, of: nil)
            context.flush()
            return
        }
        guard !exchange.isHTTP10, exchange.streamLength == nil else {
            self.write(bytes)
            return
        }
        var chunk = context.channel.allocator.buffer(capacity: bytes.readableBytes + 16)
        chunk.writeString(String(bytes.readableBytes, radix: 16))
        chunk.writeStaticString("\r\n")
        chunk.writeImmutableBuffer(bytes)
        chunk.writeStaticString("\r\n")
        self.write(chunk)
    }

    private func endStream(_ exchange: Exchange, isWhole: Bool, _ timing: UpstreamTiming) {
        let status = exchange.streamStatus
        guard isWhole else {
            self.record(exchange, status: status, timing, errorCode: "STREAM_BROKEN", now: .now())
            // The missing last chunk tells the client that this is not all.
            self.state = .closing
            self.context?.close(promise: nil)
            return
        }
        if self.transport == .stream {
            self.endOnStream()
        } else if !exchange.isHTTP10, exchange.streamLength == nil, Self.mayHaveBody(exchange.streamStatus) {
            self.write(ByteBuffer(staticString: "0\r\n\r\n"))
        }
        self.written(exchange, status: status, timing, now: .now())
    }

    // MARK: Errors and local answers

    func refuse(_ error: GatewayError, _ exchange: Exchange, _ timing: UpstreamTiming = UpstreamTiming()) {
        guard let context = self.context else { return }
        var response = error.response
        if case .upstream(let api, .deadlineExceeded) = error { response.hint = exchange.deadlineHint(api) }
        if let reason = response.shedReason, exchange.route != nil {
            self.count(exchange) { $0.wasShed(reason: reason) }
        }
        let body = response.body(requestID: exchange.id, allocator: context.channel.allocator)
        self.respond(
            exchange,
            status: response.status,
            mediaType: "application/json",
            headers: response.headers,
            body: body,
            timing,
            errorCode: response.code,
            isNotStarted: error.isNotStarted
        )
    }

    func answerLocally(_ exchange: Exchange) {
        switch exchange.target {
        case .api(let route):
            if exchange.head.method == .OPTIONS {
                let headers = route.cors.preflightHeaders(for: exchange.head.headers)
                self.respond(exchange, status: 204, mediaType: nil, headers: headers, body: ByteBuffer())
            } else {
                self.answer(exchange) { LocalAnswer(body: await route.summary()) }
            }
        case .liveness:
            self.respond(
                exchange,
                status: 200,
                mediaType: "text/plain; charset=utf-8",
                body: ByteBuffer(string: "ok\n")
            )
        case .readiness: self.answerReadiness(exchange, of: self.loop.routes.routes, isWhole: true)
        case .apiReadiness(let route): self.answerReadiness(exchange, of: [route], isWhole: false)
        case .index: self.answerIndex(exchange)
        case .nothing: break
        }
    }

    /// - Parameter isWhole: Whether the server is asked about, which is ready once *some* API is (or none is deployed).
    private func answerReadiness(_ exchange: Exchange, of routes: [Route], isWhole: Bool) {
        let obstacle = self.loop.obstacle
        let id = exchange.id
        let isVerbose = exchange.query.split(separator: "&").contains { $0.hasPrefix("verbose") }
        self.answer(exchange) {
            let report = await ReadinessReport(of: routes, isWhole: isWhole, obstacle: obstacle)
            return LocalAnswer(
                status: report.isReady ? 200 : 503,
                headers: report.isReady ? [] : [("Retry-After", "\(report.retryAfter)")],
                body: ByteBuffer(string: report.json(isVerbose: isVerbose, requestID: id))
            )
        }
    }

    /// JSON that is made elsewhere while the connection waits.
    private struct LocalAnswer: Sendable {
        var status = 200
        var headers: [(name: String, value: String)] = []
        var body: ByteBuffer
    }

    private func answer(_ exchange: Exchange, _ make: @escaping @Sendable () async -> LocalAnswer) {
        self.state = .awaiting(exchange)
        let connection = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        let number = exchange.number
        // What is asked answers asynchronously, a channel handler cannot wait: a task carries the answer back to this loop.
        Task {
            let answer = await make()
            connection.execute { $0.finish(answer, number) }
        }
    }

    private func finish(_ answer: LocalAnswer, _ number: UInt64) {
        guard case .awaiting(let exchange) = self.state, exchange.number == number else { return }
        self.respond(
            exchange,
            status: answer.status,
            mediaType: "application/json",
            headers: answer.headers,
            body: answer.body
        )
    }

    private func answerIndex(_ exchange: Exchange) {
        let index = APIIndex(routes: self.loop.routes.routes)
        let wantsHTML = exchange.head.headers[canonicalForm: "accept"].contains { $0.hasPrefix("text/html") }
        self.respond(
            exchange,
            status: 200,
            mediaType: wantsHTML ? "text/html; charset=utf-8" : "application/json",
            body: ByteBuffer(string: wantsHTML ? index.html : index.json)
        )
    }

    private func respond(
        _ exchange: Exchange,
        status: Int,
        mediaType: String?,
        headers: [(name: String, value: String)] = [],
        body: ByteBuffer,
        _ timing: UpstreamTiming = UpstreamTiming(),
        errorCode: String? = nil,
        isNotStarted: Bool = false
    ) {
        guard let context = self.context else { return }
        var body = body
        if self.transport == .stream {
            exchange.bytesOut = exchange.isHead ? 0 : body.readableBytes
            let now = NIODeadline.now()
            let answer = UpstreamAnswer(status: status, mediaType: mediaType, headers: headers)
            self.writeOnStream(exchange, answer, body: body, timing, total: now - exchange.arrival)
            return self.written(exchange, status: status, timing, errorCode: errorCode, now: now)
        }
        let now = NIODeadline.now()
        var buffer = self.head(
            of: UpstreamAnswer(status: status, mediaType: mediaType, headers: headers),
            exchange,
            framing: Self.mayHaveBody(status) ? .length(body.readableBytes) : .none,
            timing,
            total: now - exchange.arrival,
            error: errorCode.map { ($0, isNotStarted) },
            room: body.readableBytes,
            context.channel.allocator
        )
        if !exchange.isHead {
            exchange.bytesOut = body.readableBytes
            buffer.writeBuffer(&body)
        }
        self.write(buffer)
        self.written(exchange, status: status, timing, errorCode: errorCode, now: now)
    }

    static func mayHaveBody(_ status: Int) -> Bool {
        status >= 200 && status != 204 && status != 304
    }
}

extension NIOLoopBound<ConnectionHandler> {
    fileprivate func execute(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
        self.eventLoop.execute { body(self.value) }
    }
}
