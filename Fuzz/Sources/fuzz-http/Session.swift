@testable import CortexGateway
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// One connection: gives the bytes to the pipeline as a socket would, and keeps what comes back.
final class Session {
    private let channel: NIOAsyncTestingChannel
    private let upstream: FuzzUpstream
    private let connection: ConnectionHandler
    private let socket = SocketHandler()
    private let requests = RequestHandler()
    private var input: ByteBuffer
    private var cuts: UInt8

    init(
        _ channel: NIOAsyncTestingChannel,
        _ loop: LoopContext,
        _ upstream: FuzzUpstream,
        _ input: ByteBuffer,
        cuts: UInt8
    ) {
        self.channel = channel
        self.upstream = upstream
        let framing = BodyFraming()
        self.connection = ConnectionHandler(loop: loop, framing: framing)
        self.input = input
        self.cuts = cuts
        let decoder = RequestDecoder(loop.configuration, framing: framing)
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers(self.socket, ByteToMessageHandler(decoder), self.requests, self.connection)
            try pipeline.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere"), promise: nil)
            pipeline.read()
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Does one thing: gives a piece, or lets the upstream go on; false when there is nothing left to do or to wait for.
    func step() -> Bool {
        if self.socket.isClosed { return false }
        if self.socket.wantsRead, self.input.readableBytes > 0 {
            self.give()
            if self.cuts & 1 == 1 { self.upstream.proceed() }
            return true
        }
        if self.upstream.proceed() { return true }
        // What a task answers or a thread inflates is waited for; a connection that neither reads nor waits would hang its
        // client.
        switch self.connection.state {
        case .awaiting: return true
        case .receiving where !self.socket.wantsRead: return true
        case .idle, .receiving, .skipping, .streaming, .leaving, .lingering, .closing: break
        }
        precondition(self.socket.wantsRead, "nothing is in flight and the client is not read")
        return false
    }

    private func give() {
        // A linear congruential generator: pieces of 1 byte to all of it.
        self.cuts = self.cuts &* 141 &+ 71
        let size = self.cuts > 200 ? self.input.readableBytes : Int(self.cuts >> 2) + 1
        guard let piece = self.input.readSlice(length: min(size, self.input.readableBytes)) else { return }
        self.socket.wantsRead = false
        let pipeline = self.channel.pipeline.syncOperations
        pipeline.fireChannelRead(NIOAny(piece))
        guard !self.socket.isClosed else { return }
        pipeline.fireChannelReadComplete()
        if !self.socket.isClosed { pipeline.read() }
    }

    func leave() {
        self.socket.isLeaving = true
        if !self.socket.isClosed { self.channel.pipeline.syncOperations.close(mode: .all, promise: nil) }
    }

    func checkAnswers() {
        let answers = AnswerReader.answers(in: self.socket.output, methods: self.requests.methods)
        var next = 0
        for (index, answer) in answers.enumerated() {
            if let id = answer.id.flatMap(Int.init) {
                precondition(id == next, "answer \(next) is that of request \(id)")
                next += 1
            } else {
                precondition(index == answers.count - 1, "something follows the answer to what is no request")
            }
            precondition(answer.isWhole || index == answers.count - 1, "something follows half an answer")
        }
        precondition(next <= self.requests.methods.count, "there are more answers than requests")
        if !self.socket.wasClosed {
            // One that is refused for its head is answered before its body is whole.
            precondition(next >= self.requests.whole, "a whole request has no answer")
            precondition(answers.allSatisfy(\.isWhole), "half an answer, and the connection stays")
        }
    }
}
