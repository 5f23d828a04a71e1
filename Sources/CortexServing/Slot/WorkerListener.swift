package import Logging
import NIOCore
import NIOPosix

/// The Unix socket to which the workers of one version of an API connect, on the event loop of the API's queue.
package struct WorkerListener: Sendable {
    package let path: String
    private let channel: any Channel

    /// - Parameter path: Short enough for a Unix socket (107 bytes on Linux, 103 on macOS); in a folder of mode 0700.
    package init(path: String, queue: AdmissionQueue, registry: WorkerRegistry, logger: Logger) async throws {
        self.path = path
        self.channel = try await ServerBootstrap(group: queue.eventLoop)
            .serverChannelOption(.backlog, value: 128)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handshake = HandshakeHandler(queue: queue, registry: registry, logger: logger)
                    try channel.pipeline.syncOperations.addHandler(handshake)
                }
            }
            // What a slot sends in one go is answers to a few small requests, or a large one: let reads grow with it.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 << 10)
            )
            // The system gives what it allows: a body that fits in wakes the worker less often.
            .childChannelOption(.socketOption(.so_sndbuf), value: 1 << 20)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
    }

    package func close() async {
        try? await self.channel.close()
        unlinkFile(self.path)
    }
}
