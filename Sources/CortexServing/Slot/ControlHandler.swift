import CortexWire
import Foundation
import Logging
package import NIOCore

/// The control connection of one worker: what it says becomes `WorkerReport`s.
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let queue: AdmissionQueue
    private let worker: String
    private let replica: String
    private let report: @Sendable (WorkerReport) -> Void
    private let logger: Logger
    private var decoder: FrameDecoder

    /// - Parameter decoder: With the bytes that came after the worker's `hello`.
    init(
        queue: AdmissionQueue,
        worker: String,
        replica: String,
        decoder: FrameDecoder,
        logger: Logger,
        report: @escaping @Sendable (WorkerReport) -> Void
    ) {
        self.queue = queue
        self.worker = worker
        self.replica = replica
        self.decoder = decoder
        self.logger = logger
        self.report = report
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let (worker, replica) = (self.worker, self.replica)
        self.queue.assumeIsolated { $0.controlOpened(channel, worker: worker, replica: replica) }
        self.readFrames(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        self.readFrames(context)
    }

    private func readFrames(_ context: ChannelHandlerContext) {
        do {
            while let frame = try self.decoder.next() { try self.received(frame) }
        } catch {
            self.logger.error(
                "a worker broke the wire protocol; its control connection is closed",
                metadata: ["worker.id": "\(self.worker)", "error": "\(error)"]
            )
            context.close(promise: nil)
        }
    }

    private func received(_ frame: Frame) throws {
        switch frame.kind {
        case .log:
            guard let message = LogMessage(frame) else { throw AdmissionQueue.UnexpectedFrame(kind: .log) }
            self.report(.log(message))
        case .metrics: self.report(.metrics(frame.body))
        default: try self.receivedJSON(frame)
        }
    }

    private func receivedJSON(_ frame: Frame) throws {
        let json = Data(frame.body.readableBytesView)
        switch frame.kind {
        case .ready: self.report(.ready(try JSONDecoder().decode(ReadyMessage.self, from: json)))
        case .missing: self.report(.missing(try JSONDecoder().decode(MissingMessage.self, from: json)))
        case .failed: self.report(.failed(try JSONDecoder().decode(FailedMessage.self, from: json)))
        case .ensure: self.report(.ensure(frame.id, try JSONDecoder().decode(EnsureMessage.self, from: json)))
        case .model: self.report(.model(try JSONDecoder().decode(ModelMessage.self, from: json)))
        case .counted: self.report(.counted(try JSONDecoder().decode(ModelCounts.self, from: json)))
        default: throw AdmissionQueue.UnexpectedFrame(kind: frame.kind)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let worker = self.worker
        self.queue.assumeIsolated { $0.controlClosed(worker: worker) }
        self.report(.disconnected)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// What a worker says of itself.
package enum WorkerReport: Hashable, Sendable {
    case ready(ReadyMessage)
    case failed(FailedMessage)
    case missing(MissingMessage)
    case log(LogMessage)
    /// It waits for an `ensured` of this number.
    case ensure(UInt64, EnsureMessage)
    case model(ModelMessage)
    case counted(ModelCounts)
    /// What the predictor counts itself, as it came: read off the event loop.
    case metrics(ByteBuffer)
    /// Its control connection closed: it is dead, or about to be.
    case disconnected
}
