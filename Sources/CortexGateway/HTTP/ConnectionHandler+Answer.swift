import CortexTelemetry
import NIOCore
import NIOHTTP1

/// Answers: what the upstream says, as bytes to the client.
extension ConnectionHandler {
    func receive(_ event: UpstreamEvent, of number: UInt64) {
        switch (event, self.state) {
        case (.answer(let answer, let body, let timing), .awaiting(let exchange)) where exchange.number == number:
            self.answer(exchange, answer, body, timing)
        case (.failed(let failure, let timing), .awaiting(let exchange)) where exchange.number == number:
            guard let route = exchange.route else { return }
            self.refuse(.upstream(route.api, failure), exchange, timing)
        case (.head(let answer, let timing), .awaiting(let exchange)) where exchange.number == number:
            self.beginStream(exchange, answer, timing)
        case (.started, .awaiting(let exchange)) where exchange.number == number && exchange.isFromGateway:
            self.write(ByteBuffer(staticString: ReplicaProtocol.startedStatus))
        case (.chunk(let bytes), .streaming(let exchange)) where exchange.number == number:
            self.stream(bytes, exchange)
        case (.end(let isWhole, let timing), .streaming(let exchange)) where exchange.number == number:
            self.endStream(exchange, isWhole: isWhole, timing)
        case (.room, .receiving(let exchange)) where exchange.number == number: self.hasRoom(exchange)
        case (.noRoom(let failure), .receiving(let exchange)) where exchange.number == number:
            self.hasNoRoom(failure, exchange)
        default: break  // of a request whose client has left
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
        case .bytes(let bytes): self.answer(exchange, answer, bytes, timing)
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
        _ timing: UpstreamTiming
    ) {
        guard let context = self.context else { return }
        let now = NIODeadline.now()
        let hasBody = Self.mayHaveBody(answer.status)
        let size = bytes.readableBytes
        if size > AnswerMemory.uncounted, hasBody, !self.holds(size, exchange) {
            return self.spool(bytes, exchange, answer, timing)
        }
        exchange.bytesOut = hasBody ? size : 0
        if self.transport == .stream {
            self.writeOnStream(exchange, answer, body: bytes, timing, total: now - exchange.arrival)
            return self.written(exchange, status: answer.status, timing, errorCode: answer.errorCode, now: now)
        }
        // A small body is copied behind its head, so that both leave in one write; a large one follows as it is.
        let isSmall = size <= 16 << 10
        var buffer = context.channel.allocator.buffer(capacity: isSmall ? 512 + size : 1024)
        self.writeHead(exchange, answer, framing: hasBody ? .length(size) : .none, into: &buffer)
        self.writeOrigin(timing, of: exchange, into: &buffer)
        Self.writeTiming(timing, total: now - exchange.arrival, into: &buffer)
        buffer.writeStaticString("\r\n")
        if !hasBody {
            self.write(buffer)
        } else if isSmall {
            buffer.writeImmutableBuffer(bytes)
            self.write(buffer)
        } else {
            context.write(self.wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
            self.write(bytes)
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
        var buffer = context.channel.allocator.buffer(capacity: 512)
        self.writeHead(exchange, answer, framing: framing, into: &buffer)
        self.writeOrigin(timing, of: exchange, into: &buffer)
        // Up to the first bytes of the answer; what comes after is in the access log alone.
        Self.writeTiming(timing, total: .now() - exchange.arrival, into: &buffer)
        buffer.writeStaticString("\r\n")
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
        var buffer = context.channel.allocator.buffer(capacity: 512 + body.readableBytes)
        let framing: ResponseHead.Framing = Self.mayHaveBody(status) ? .length(body.readableBytes) : .none
        let answer = UpstreamAnswer(status: status, mediaType: mediaType, headers: headers)
        self.writeHead(exchange, answer, framing: framing, into: &buffer)
        if exchange.isFromGateway, let errorCode { Self.write(errorCode, isNotStarted: isNotStarted, into: &buffer) }
        self.writeOrigin(timing, of: exchange, into: &buffer)
        let now = NIODeadline.now()
        Self.writeTiming(timing, total: now - exchange.arrival, into: &buffer)
        buffer.writeStaticString("\r\n")
        if !exchange.isHead {
            exchange.bytesOut = body.readableBytes
            buffer.writeBuffer(&body)
        }
        self.write(buffer)
        self.written(exchange, status: status, timing, errorCode: errorCode, now: now)
    }

    // MARK: Parts

    func writeHead(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        framing: ResponseHead.Framing,
        into buffer: inout ByteBuffer
    ) {
        let head = ResponseHead(
            status: answer.status,
            framing: framing,
            keepAlive: self.goesOn(after: exchange),
            isHTTP10: exchange.isHTTP10
        )
        head.write(into: &buffer, date: self.loop.clock.httpDate(), requestID: exchange.id)
        if let mediaType = answer.mediaType { ResponseHead.write("Content-Type", mediaType, into: &buffer) }
        for header in answer.headers {
            ResponseHead.writeForeign(header.name, header.value, isUTF8: exchange.isFromGateway, into: &buffer)
        }
        for header in Self.corsHeaders(exchange, answer) {
            ResponseHead.writeForeign(header.name, header.value, into: &buffer)
        }
    }

    /// None where a predictor has set its own: a browser that finds two refuses both.
    static func corsHeaders(_ exchange: Exchange, _ answer: UpstreamAnswer) -> [(name: String, value: String)] {
        // They are the gateway's to set, which the client talks to.
        guard !exchange.isFromGateway, let entrance = exchange.entrance else { return [] }
        let headers = entrance.cors.answerHeaders(to: exchange.known.origin.first)
        guard !headers.isEmpty else { return [] }
        return answer.headers.contains { $0.name.lowercased() == "access-control-allow-origin" } ? [] : headers
    }

    /// Tells a gateway who has answered.
    private func writeOrigin(_ timing: UpstreamTiming, of exchange: Exchange, into buffer: inout ByteBuffer) {
        guard exchange.isFromGateway, let worker = timing.worker, let version = timing.version else { return }
        let name = self.loop.configuration.replicaName.map { "\($0)/\(worker)" } ?? worker
        buffer.writeString("\(ReplicaProtocol.worker): \(name)\r\n\(ReplicaProtocol.version): \(version)\r\n")
    }

    /// Tells a gateway of an error, and whether the request may be tried elsewhere.
    private static func write(_ errorCode: String, isNotStarted: Bool, into buffer: inout ByteBuffer) {
        buffer.writeString("\(ReplicaProtocol.error): \(errorCode)\r\n")
        if isNotStarted { buffer.writeString("\(ReplicaProtocol.notStarted): 1\r\n") }
    }

    static func writeTiming(_ timing: UpstreamTiming, total: TimeAmount, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("Server-Timing: ")
        Self.writeTimingValue(timing, total: total, into: &buffer)
        buffer.writeStaticString("\r\n")
    }

    static func writeTimingValue(_ timing: UpstreamTiming, total: TimeAmount, into buffer: inout ByteBuffer) {
        buffer.write(atMost: 128) { line in
            if let queue = timing.queue {
                line.writeStaticString("queue;dur=")
                line.writeMilliseconds(queue)
                line.writeStaticString(", ")
            }
            if let predict = timing.predict {
                line.writeStaticString("predict;dur=")
                line.writeMilliseconds(predict)
                line.writeStaticString(", ")
            }
            line.writeStaticString("total;dur=")
            line.writeMilliseconds(total)
        }
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
