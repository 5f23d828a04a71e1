import CortexTelemetry
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Files that answer, where the kernel cannot copy them to the socket: through TLS.
extension ConnectionHandler {
    /// A file on its way: read by the piece, each when the one before has left.
    struct FileAnswer: Sendable {
        let descriptor: CInt
        let size: Int
        /// Keeps the descriptor open.
        let owner: any Sendable
        let timing: UpstreamTiming
        var offset = 0

        static let piece = 256 << 10

        /// Blocks; empty where the file is shorter than it was.
        func read() throws -> ByteBuffer {
            try withExtendedLifetime(self.owner) {
                let count = min(Self.piece, self.size - self.offset)
                var buffer = ByteBuffer()
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                    while true {
                        let read = pread(self.descriptor, bytes.baseAddress, count, off_t(self.offset))
                        if read >= 0 { return read }
                        if errno != EINTR { throw IOError(errnoCode: errno, reason: "pread of an answer") }
                    }
                }
                return buffer
            }
        }
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
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { self.goOn(with: next, of: number) }
        self.awaitReader(of: bytes.readableBytes)
        switch self.transport {
        case .stream: self.writeOnStream(bytes, promise: sent)
        case .plain, .encrypted: context.write(self.wrapOutboundOut(.byteBuffer(bytes)), promise: sent)
        }
        context.flush()
    }

    private func goOn(with file: FileAnswer, of number: UInt64) {
        guard case .streaming(let exchange) = self.state, exchange.number == number else { return }
        guard file.offset == file.size else { return self.send(file, of: number) }
        if self.transport == .stream { self.endOnStream() }
        self.record(exchange, status: exchange.streamStatus, file.timing, errorCode: nil, now: .now())
        self.finished(exchange)
    }
}
