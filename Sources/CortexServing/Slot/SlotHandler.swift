import CortexWire
import Logging
import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The bytes of one slot: cuts them into frames and hands these to the queue.
final class SlotHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let queue: AdmissionQueue
    private let worker: String
    private let replica: String
    private let logger: Logger
    private var decoder: FrameDecoder
    private var index: Int?

    /// - Parameter decoder: With the bytes that came after the worker's `hello`.
    init(queue: AdmissionQueue, worker: String, replica: String, decoder: FrameDecoder, logger: Logger) {
        self.queue = queue
        self.worker = worker
        self.replica = replica
        self.decoder = decoder
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let (worker, replica) = (self.worker, self.replica)
        self.index = self.queue.assumeIsolated { $0.slotOpened(channel, worker: worker, replica: replica) }
        self.readFrames(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        self.readFrames(context)
    }

    private func readFrames(_ context: ChannelHandlerContext) {
        guard let index = self.index else { return }
        var decoder = self.decoder
        defer { self.decoder = decoder }
        do {
            // All that came together in one visit: each makes sure that this is the queue's event loop.
            try self.queue.assumeIsolated { try $0.received(&decoder, from: index) }
        } catch {
            self.logger.error(
                "a worker broke the wire protocol; its slot is closed",
                metadata: ["worker.id": "\(self.worker)", "error": "\(error)"]
            )
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let index = self.index.take() {
            self.queue.assumeIsolated { $0.slotClosed(index) }
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A Unix socket says "reset" where the other side had not read everything.
        if let index = self.index, (error as? IOError)?.errnoCode == ECONNRESET {
            self.queue.assumeIsolated { $0.state.wasReset(index) }
        }
        context.close(promise: nil)
    }
}
