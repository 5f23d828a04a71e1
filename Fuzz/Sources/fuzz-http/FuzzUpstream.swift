import CortexGateway
import NIOCore

/// Answers as the input says: at once, when told to, in pieces, or with a failure.
struct FuzzUpstream: Upstream {
    struct State {
        /// Requests that were taken and not answered, in order of arrival.
        var open: [(number: UInt64, responder: UpstreamResponder)] = []
        var mode: UInt8
        /// Of the request whose answer has begun.
        var streaming: UInt64?
        var answered: Set<UInt64> = []
    }

    let pending: NIOLoopBoundBox<State>

    init(_ mode: UInt8, eventLoop: any EventLoop) {
        self.pending = .makeBoxSendingValue(State(mode: mode), eventLoop: eventLoop)
    }

    func probe(_ responder: UpstreamResponder) { responder.receive(.room) }

    func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        precondition(!self.pending.value.open.contains { $0.number == request.number }, "a request is sent twice")
        precondition(self.pending.value.open.isEmpty, "a connection has two requests in flight")
        precondition(request.body.size <= 1 << 10, "a body is over the limit")
        self.pending.value.open.append((request.number, responder))
        if self.pending.value.mode & 1 == 0 { self.proceed() }
    }

    func cancel(_ number: UInt64) {
        precondition(!self.pending.value.answered.contains(number), "a request is cancelled that was answered")
        self.pending.value.open.removeAll { $0.number == number }
    }

    func setFlow(of number: UInt64, isOpen: Bool) {}

    func readiness() async -> UpstreamReadiness { .ready }

    /// Sends the next event of the oldest request; false where there is none.
    @discardableResult
    func proceed() -> Bool {
        guard let (number, responder) = self.pending.value.open.first else { return false }
        let timing = UpstreamTiming(queue: .milliseconds(1), predict: .milliseconds(2), worker: "1")
        let isStreaming = self.pending.value.streaming == number
        // Another way for each request of a connection.
        let mode = (self.pending.value.mode >> 1) &+ UInt8(truncatingIfNeeded: number)
        switch mode % 6 {
        case 0, 1:
            self.finish(number)
            responder.receive(.answer(Self.answer(200), .bytes(ByteBuffer(string: "{}")), timing))
        case 2:
            self.finish(number)
            let body = ByteBuffer(repeating: 0x61, count: 20 << 10)
            responder.receive(.answer(Self.answer(500), .bytes(body), timing))
        case 3:
            self.finish(number)
            responder.receive(.answer(Self.answer(204), .bytes(ByteBuffer()), timing))
        case 4 where !isStreaming:
            self.pending.value.streaming = number
            responder.receive(.head(Self.answer(200), timing))
            responder.receive(.chunk(ByteBuffer(string: "piece")))
            // The client may have left by what it was sent.
            if self.pending.value.mode & 1 == 0, self.pending.value.open.first?.number == number { self.proceed() }
        case 4:
            self.finish(number)
            responder.receive(.chunk(ByteBuffer(string: "last")))
            responder.receive(.end(isWhole: self.pending.value.mode & 0x80 == 0, timing))
        default:
            self.finish(number)
            responder.receive(.failed(.crashed(worker: "1"), timing))
        }
        return true
    }

    private func finish(_ number: UInt64) {
        self.pending.value.open.removeAll { $0.number == number }
        self.pending.value.answered.insert(number)
        self.pending.value.streaming = nil
    }

    private static func answer(_ status: Int) -> UpstreamAnswer {
        let headers = [
            (name: "x-user", value: "a\r\nb: c"), (name: "content-length", value: "7"), (name: "", value: ""),
        ]
        return UpstreamAnswer(status: status, mediaType: "application/json", headers: headers)
    }
}
