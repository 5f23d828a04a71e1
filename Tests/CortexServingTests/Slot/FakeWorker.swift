import CortexSpec
import CortexWire
import Foundation
import Logging
import NIOCore
import NIOPosix

@testable import CortexServing

/// A queue with its socket, and a worker that may connect.
struct Rig {
    static let replica = "iris-1-0"
    static let worker = "iris-1-0-0"
    static let token = "secret"

    let queue: AdmissionQueue
    let listener: WorkerListener
    let reports: AsyncStream<WorkerReport>

    /// Runs `body` with a queue that listens, and closes it.
    static func with<R>(_ body: (Rig) async throws -> R) async throws -> R {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let path = FileManager.default.temporaryDirectory.appending(path: "ct-\(UUID().uuidString.prefix(8)).sock")
        let queue = AdmissionQueue(on: group.next(), replicaLimit: 10) { _, _ in }
        await queue.join(Self.replica, version: 3)
        await queue.admit(Self.replica, arguments: .payload)
        await queue.workerBecameReady(Self.worker)
        let registry = WorkerRegistry()
        let (reports, continuation) = AsyncStream.makeStream(of: WorkerReport.self)
        registry.expect(
            Self.worker,
            of: Self.replica,
            token: Self.token,
            welcome: .sample,
            models: { ["catalog": [:]] }
        ) {
            continuation.yield($0)
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let listener = try await WorkerListener(
            path: path.path(percentEncoded: false),
            queue: queue,
            registry: registry,
            logger: logger
        )
        let result: Result<R, any Error>
        do {
            result = .success(try await body(Rig(queue: queue, listener: listener, reports: reports)))
        } catch {
            result = .failure(error)
        }
        await listener.close()
        try await group.shutdownGracefully()
        return try result.get()
    }

    /// Connects, says hello, and runs `body`; the connection closes with it.
    func connect<R: Sendable>(
        _ role: HelloMessage.Role,
        token: String = Self.token,
        version: Int = wireProtocolVersion,
        _ body: @escaping @Sendable (inout Peer) async throws -> R
    ) async throws -> R {
        let channel = try await ClientBootstrap(group: self.queue.eventLoop)
            .connect(unixDomainSocketPath: self.listener.path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let hello = HelloMessage(
            protocol: version,
            worker: Self.worker,
            token: token,
            role: role,
            slot: 0,
            capabilities: []
        )
        let greeting = Frame(.hello, body: ByteBuffer(bytes: try JSONEncoder().encode(hello)))
        return try await channel.executeThenClose { inbound, outbound in
            var peer = Peer(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            try await peer.send(greeting)
            return try await body(&peer)
        }
    }

    /// Returns when all that the loop was told before has been done.
    func settle() async throws {
        for _ in 0..<3 { try await self.queue.eventLoop.submit {}.get() }
    }
}

/// The worker's side of one connection.
struct Peer {
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var decoder = FrameDecoder()

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    /// The next frame; nil where the server has closed the connection.
    mutating func next() async throws -> Frame? {
        while true {
            if let frame = try self.decoder.next() { return frame }
            guard let bytes = try await self.inbound.next(isolation: #isolation) else { return nil }
            self.decoder.append(bytes)
        }
    }

    func send(_ frame: Frame) async throws {
        var buffer = ByteBuffer()
        frame.write(into: &buffer)
        try await self.outbound.write(buffer)
    }

    /// Answers a request with JSON.
    func answer(_ id: UInt64, _ json: String, flags: Frame.Flags = []) async throws {
        var body = ByteBuffer()
        body.writeMultipleIntegers(UInt32(50), UInt8(1), UInt8(0), UInt16(0), endianness: .little)
        body.writeString(json)
        try await self.send(Frame(.answer, flags: flags, code: 200, id: id, body: body))
    }
}

extension WelcomeMessage {
    static var sample: Self {
        Self(
            api: "iris",
            apiVersion: 3,
            projectDirectory: "/project",
            predictorPath: "predictor.py",
            predictorType: .python,
            pythonPath: nil,
            config: ["rate": .double(0.5)],
            threads: 2,
            spoolDirectory: "/spool",
            inlineLimit: 1 << 20,
            jsonDepthLimit: 512,
            formPartLimit: 1000
        )
    }
}
