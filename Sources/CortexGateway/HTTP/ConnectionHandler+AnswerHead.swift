import CortexTelemetry
import NIOCore

/// The head of an answer.
extension ConnectionHandler {
    /// All of it, its empty line too, written into memory that was reserved once.
    ///
    /// - Parameters:
    ///   - error: What the answer is, where it is an error: told to a gateway, with whether it may be tried elsewhere.
    ///   - room: Bytes that are to follow in the same memory.
    func head(
        of answer: UpstreamAnswer,
        _ exchange: Exchange,
        framing: ResponseHead.Framing,
        _ timing: UpstreamTiming,
        total: TimeAmount,
        error: (code: String, isNotStarted: Bool)? = nil,
        room: Int = 0,
        _ allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        let head = ResponseHead(
            status: answer.status,
            framing: framing,
            keepAlive: self.goesOn(after: exchange),
            isHTTP10: exchange.isHTTP10
        )
        let date = self.loop.clock.httpDate()
        let cors = Self.corsHeaders(exchange, answer)
        let told = exchange.isFromGateway ? self.linesForGateway(timing, error) : ""
        var most = ResponseHead.most(date: date, requestID: exchange.id) + Self.mostTiming + 64 + told.utf8.count
        most += answer.mediaType?.utf8.count ?? 0
        for header in answer.headers { most += ResponseHead.most(header.name, header.value) }
        for header in cors { most += ResponseHead.most(header.name, header.value) }
        var buffer = allocator.buffer(capacity: most + room)
        buffer.write(atMost: most) { lines in
            head.write(into: &lines, date: date, requestID: exchange.id)
            if let mediaType = answer.mediaType { ResponseHead.write("Content-Type", mediaType, into: &lines) }
            for header in answer.headers {
                ResponseHead.writeForeign(header.name, header.value, isUTF8: exchange.isFromGateway, into: &lines)
            }
            for header in cors { ResponseHead.writeForeign(header.name, header.value, into: &lines) }
            lines.writeString(told)
            lines.writeStaticString("Server-Timing: ")
            Self.write(timing, total: total, into: &lines)
            lines.writeStaticString("\r\n\r\n")
        }
        return buffer
    }

    /// None where a predictor has set its own: a browser that finds two refuses both.
    static func corsHeaders(_ exchange: Exchange, _ answer: UpstreamAnswer) -> [(name: String, value: String)] {
        // They are the gateway's to set, which the client talks to.
        guard !exchange.isFromGateway, let entrance = exchange.entrance else { return [] }
        let headers = entrance.cors.answerHeaders(to: exchange.first(exchange.known.origin))
        guard !headers.isEmpty else { return [] }
        return answer.headers.contains { $0.name.lowercased() == "access-control-allow-origin" } ? [] : headers
    }

    /// Tells a gateway of an error, and whether the request may be tried elsewhere; and who has answered.
    private func linesForGateway(_ timing: UpstreamTiming, _ error: (code: String, isNotStarted: Bool)?) -> String {
        var lines = ""
        if let error {
            lines += "\(ReplicaProtocol.error): \(error.code)\r\n"
            if error.isNotStarted { lines += "\(ReplicaProtocol.notStarted): 1\r\n" }
        }
        guard let worker = timing.worker, let version = timing.version else { return lines }
        let name = self.loop.configuration.replicaName.map { "\($0)/\(worker)" } ?? worker
        return lines + "\(ReplicaProtocol.worker): \(name)\r\n\(ReplicaProtocol.version): \(version)\r\n"
    }

    /// The most bytes that a value of `Server-Timing` takes.
    static let mostTiming = 128

    /// The value of `Server-Timing`.
    static func write(_ timing: UpstreamTiming, total: TimeAmount, into line: inout ByteWriter) {
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
