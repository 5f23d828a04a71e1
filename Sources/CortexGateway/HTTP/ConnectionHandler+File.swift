import CortexTelemetry
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Answers that are in files, or go there.
extension ConnectionHandler {
    /// A file on its way through TLS, where the kernel cannot copy it: read by the piece, each when the one before has left.
    struct FileAnswer: Sendable {
        let file: AnswerFile
        let timing: UpstreamTiming
        var offset = 0

        /// A connection has one in memory for each of its streams.
        var piece = 256 << 10

        /// Blocks; empty where the file is shorter than it was.
        func read() throws -> ByteBuffer {
            try withExtendedLifetime(self.file) {
                let count = min(self.piece, self.file.size - self.offset)
                var buffer = ByteBuffer()
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                    while true {
                        let read = pread(self.file.descriptor, bytes.baseAddress, count, off_t(self.offset))
                        if read >= 0 { return read }
                        if errno != EINTR { throw IOError(errnoCode: errno, reason: "pread of an answer") }
                    }
                }
                return buffer
            }
        }
    }

    /// Whether there is memory for an answer of this size, should its reader be slow.
    func holds(_ size: Int, _ exchange: Exchange) -> Bool {
        let budgets = [self.loop.memory] + (self.connectionMemory.map { [$0] } ?? [])
        exchange.memory = AnswerMemory(size, of: budgets)
        return exchange.memory != nil
    }

    /// Puts an answer into a file for which there is no memory.
    func spool(
        _ pieces: [ByteBuffer],
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        _ timing: UpstreamTiming
    ) {
        exchange.body.release()
        let place = self.loop.bodies
        NIOThreadPool.singleton.runIfActive(eventLoop: self.loop.eventLoop) { try AnswerFile.write(pieces, place) }
            .assumeIsolated().whenComplete { file in
                // Its client may have left meanwhile.
                guard case .awaiting(let current) = self.state, current === exchange else { return }
                switch file {
                case .success(let file): self.answer(exchange, answer, file, timing)
                case .failure(let error):
                    self.refuse(error as? GatewayError ?? .spoolBroken, exchange, timing)
                }
            }
    }

    func answer(
        _ exchange: Exchange,
        _ answer: UpstreamAnswer,
        _ file: AnswerFile,
        _ timing: UpstreamTiming
    ) {
        guard let context = self.context else { return }
        guard Self.mayHaveBody(answer.status), file.size > 0 else {
            return self.answer(exchange, answer, ByteBuffer(), timing)
        }
        let now = NIODeadline.now()
        guard self.transport == .plain else {
            var pieces = FileAnswer(file: file, timing: timing)
            if self.transport == .stream { pieces.piece = AnswerMemory.uncounted }
            return self.begin(pieces, exchange, answer, now: now)
        }
        exchange.bytesOut = file.size
        let total = now - exchange.arrival
        let allocator = context.channel.allocator
        let buffer = self.head(of: answer, exchange, framing: .length(file.size), timing, total: total, allocator)
        context.write(self.wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
        self.send(file)
        self.written(exchange, status: answer.status, timing, now: now)
    }

    /// Begins to send a file through TLS.
    private func begin(_ file: FileAnswer, _ exchange: Exchange, _ answer: UpstreamAnswer, now: NIODeadline) {
        guard let context = self.context else { return }
        exchange.bytesOut = 0
        exchange.streamStatus = answer.status
        let total = now - exchange.arrival
        if self.transport == .stream {
            self.writeHeadOnStream(exchange, answer, length: file.file.size, file.timing, total: total)
            context.flush()
        } else {
            let framing = ResponseHead.Framing.length(file.file.size)
            let allocator = context.channel.allocator
            self.write(self.head(of: answer, exchange, framing: framing, file.timing, total: total, allocator))
        }
        self.state = .streaming(exchange)
        self.send(file, of: exchange.number)
    }

    private func send(_ file: AnswerFile) {
        guard let context = self.context else { return }
        // The region must not close what the file will close: it gets a descriptor of its own.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: duplicate(file.descriptor))
        let region = FileRegion(fileHandle: handle, readerIndex: 0, endIndex: file.size)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { _ in
            try? handle.close()
            withExtendedLifetime(file) {}
        }
        context.writeAndFlush(self.wrapOutboundOut(.fileRegion(region)), promise: sent)
    }

    /// The head has been written; the exchange is `streaming`.
    func send(_ file: FileAnswer, of number: UInt64) {
        NIOThreadPool.singleton.runIfActive(eventLoop: self.loop.eventLoop) { try file.read() }
            .assumeIsolated().whenComplete { self.sendPiece($0, of: file, number) }
    }

    private func sendPiece(_ piece: Result<ByteBuffer, any Error>, of file: FileAnswer, _ number: UInt64) {
        guard let context = self.context, case .streaming(let exchange) = self.state, exchange.number == number else {
            return
        }
        guard case .success(let bytes) = piece, bytes.readableBytes > 0 else {
            // The missing rest tells the client that this is not all.
            self.record(exchange, status: exchange.streamStatus, file.timing, errorCode: "STREAM_BROKEN", now: .now())
            self.state = .closing
            context.close(promise: nil)
            return
        }
        exchange.bytesOut += bytes.readableBytes
        self.state = .streaming(exchange)
        var file = file
        file.offset += bytes.readableBytes
        let next = file
        if self.transport == .stream, next.offset == next.file.size {
            // Not flushed, so that it goes with the end.
            self.writeByTheSlice(bytes, of: nil)
            self.endOnStream()
            return self.written(exchange, status: exchange.streamStatus, file.timing, now: .now())
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { self.goOn(with: next, of: number) }
        exchange.isPieceLeaving = true
        switch self.transport {
        case .stream: self.writeByTheSlice(bytes, of: nil, promise: sent)
        case .plain, .encrypted: context.write(self.wrapOutboundOut(.byteBuffer(bytes)), promise: sent)
        }
        context.flush()
        // Not only where much is left: the next piece comes when all of this one has left, were its rest a byte.
        if exchange.isPieceLeaving, case .streaming = self.state { self.watchReader(of: exchange) }
    }

    private func goOn(with file: FileAnswer, of number: UInt64) {
        guard case .streaming(let exchange) = self.state, exchange.number == number else { return }
        exchange.isPieceLeaving = false
        guard file.offset == file.file.size else { return self.send(file, of: number) }
        self.record(exchange, status: exchange.streamStatus, file.timing, errorCode: nil, now: .now())
        self.finished(exchange)
    }
}
