import CortexTelemetry
import CortexWire
import Foundation
import Logging
import NIOCore

/// Waits for the `hello` of a connection, and makes it a slot or a control connection; whoever cannot say one is cut off.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    static let timeout = TimeAmount.seconds(5)

    private let queue: AdmissionQueue
    private let registry: WorkerRegistry
    private let logger: Logger
    private var decoder = FrameDecoder()
    private var timer: Scheduled<Void>?

    init(queue: AdmissionQueue, registry: WorkerRegistry, logger: Logger) {
        self.queue = queue
        self.registry = registry
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        self.timer = context.eventLoop.scheduleTask(in: Self.timeout) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        do {
            guard let frame = try self.decoder.next() else { return }
            try self.accept(frame, context: context)
        } catch {
            self.logger.warning("a connection to the worker socket was refused", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
    }

    private func accept(_ frame: Frame, context: ChannelHandlerContext) throws {
        guard frame.kind == .hello else { throw AdmissionQueue.UnexpectedFrame(kind: frame.kind) }
        let hello = try JSONDecoder().decode(HelloMessage.self, from: Data(frame.body.readableBytesView))
        guard hello.protocol == wireProtocolVersion else { throw WorkerError.wrongProtocol(hello.protocol) }
        let worker = try self.registry.worker(named: hello.worker, token: hello.token)
        self.timer?.cancel()
        let pipeline = context.pipeline.syncOperations
        let rest = self.decoder
        switch hello.role {
        case .control:
            try pipeline.addHandler(
                ControlHandler(
                    queue: self.queue,
                    worker: hello.worker,
                    replica: worker.replica,
                    decoder: rest,
                    logger: self.logger,
                    report: worker.report
                )
            )
            var buffer = context.channel.allocator.buffer(capacity: 1024)
            var welcome = ByteBuffer()
            // After the connection is known to the queue: a change of the models that comes now is sent behind it.
            welcome.writeJSON(worker.welcome.json(models: worker.models()))
            Frame(.welcome, body: welcome).write(into: &buffer)
            context.writeAndFlush(NIOAny(buffer), promise: nil)
        case .slot:
            try pipeline.addHandler(
                SlotHandler(
                    queue: self.queue,
                    worker: hello.worker,
                    replica: worker.replica,
                    decoder: rest,
                    logger: self.logger
                )
            )
        case .lifeline: break
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
