import CortexTelemetry
import NIOCore

/// Whole answers, from when they are written until they have left.
extension ConnectionHandler {
    /// The answer is written: that is the end of it, unless its reader is behind.
    func written(
        _ exchange: Exchange,
        status: Int,
        _ timing: UpstreamTiming,
        errorCode: String? = nil,
        now: NIODeadline
    ) {
        guard self.unflushed > 0 || (self.isReaderBehind && self.transport != .stream) else {
            self.record(exchange, status: status, timing, errorCode: errorCode, now: now)
            return self.finished(exchange)
        }
        self.count(exchange, status: status, timing, now: now)
        self.leave(LeavingAnswer(exchange, status: status, timing, errorCode: errorCode))
    }

    /// Takes up no further request until this answer has left: a client that asks without reading would have its answers
    /// pile up here.
    private func leave(_ answer: LeavingAnswer) {
        answer.exchange.body.release()
        self.state = .leaving(answer)
        self.undrained = self.unwrittenBytes
        // The stream may be closed already, with its last bytes in the socket of its connection.
        if let context = self.context, context.channel.isActive { self.await(.drain) }
        guard let context = self.context, self.transport != .stream else { return }
        // Completes when all that was written before it has left.
        let left = context.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenComplete {
            switch $0 {
            case .success: self.left(answer)
            case .failure: self.failed(answer)
            }
        }
        context.writeAndFlush(self.wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: left)
    }

    func left(_ answer: LeavingAnswer) {
        guard case .leaving(let current) = self.state, current === answer else { return }
        self.log(answer, errorCode: answer.errorCode)
        self.finished(answer.exchange)
    }

    /// The client is gone.
    func failed(_ answer: LeavingAnswer) {
        guard case .leaving(let current) = self.state, current === answer else { return }
        self.cut(answer, stage: "streaming", errorCode: "CLIENT_CLOSED")
    }

    func checkReader(of answer: LeavingAnswer) {
        guard self.readsTooSlowly(over: self.loop.configuration.rateWindow, written: 0) else {
            return self.await(.drain)
        }
        self.cut(answer, stage: "reading", errorCode: "READER_TOO_SLOW")
        self.context?.close(promise: nil)
    }

    /// Its reader is to blame for that the rest of the answer does not leave.
    private func cut(_ answer: LeavingAnswer, stage: String, errorCode: String) {
        self.count(answer.exchange) { $0.wasCancelled(stage: stage) }
        self.end(answer, errorCode: errorCode)
    }

    /// The rest of the answer does not leave any more.
    func end(_ answer: LeavingAnswer, errorCode: String) {
        self.state = .closing
        let exchange = answer.exchange
        exchange.bytesOut -= min(exchange.bytesOut, self.unwrittenBytes ?? self.undrained ?? 0)
        self.log(answer, errorCode: errorCode)
    }

    private func log(_ answer: LeavingAnswer, errorCode: String?) {
        self.log(answer.exchange, status: answer.status, answer.timing, errorCode: errorCode, now: .now())
    }
}
