@testable import CortexGateway
import CortexSpec
import CortexTelemetry
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// A client's bytes through the gateway's own pipeline, in front of an upstream that answers at once, late, in pieces, or not.
///
/// However the bytes are cut, each whole request gets one answer, in order, or the connection ends; and nothing is left.
enum HTTPCase {
    struct Plan: Sendable {
        var cuts: UInt8
        var upstream: UInt8
    }

    private static let eventLoop = NIOAsyncTestingEventLoop()
    private static let budget = ByteBudget(bytes: 1 << 30)
    /// Bounds that a short input can pass.
    private static let configuration: GatewayConfiguration = {
        var configuration = GatewayConfiguration(
            spoolDirectory: "/nonexistent",
            inlineLimit: 1 << 20,
            maximumBodySize: 1 << 10
        )
        configuration.maximumURLLength = 256
        configuration.maximumHeaderSize = 256
        configuration.maximumHeadSize = 1 << 10
        configuration.maximumHeaders = 16
        return configuration
    }()
    /// One for all inputs, as in a server: what one connection leaves behind, later ones stumble over.
    private static let loop = NIOLoopBoundBox.makeBoxSendingValue(
        LoopContext(
            eventLoop: Self.eventLoop,
            index: 0,
            configuration: Self.configuration,
            budget: Self.budget,
            accessLog: LogSink(file: RotatingFile(path: "/dev/null"))
        ),
        eventLoop: Self.eventLoop
    )

    static func check(_ input: ByteBuffer, _ plan: Plan) async {
        let eventLoop = self.eventLoop
        let loop = self.loop
        let channel = NIOAsyncTestingChannel(loop: eventLoop)
        let upstream = FuzzUpstream(plan.upstream, eventLoop: eventLoop)
        await self.run {
            loop.value.routes = RouteTable([Self.route(to: upstream)])
            loop.value.isLoaded = true
        }
        let session = await self.run {
            NIOLoopBoundBox(Session(channel, loop.value, upstream, input, cuts: plan.cuts), eventLoop: eventLoop)
        }
        // Answers that tasks make come a moment later; the client waits for what it has been promised.
        var patience = 100_000
        while await self.run({ session.value.step() }) {
            await Task.yield()
            patience -= 1
            precondition(patience > 0, "a request is never answered")
        }
        await self.run { session.value.leave() }
        await eventLoop.run()
        await self.run {
            session.value.checkAnswers()
            precondition(upstream.pending.value.open.isEmpty, "the upstream was not told that the client has left")
            precondition(loop.value.connections.isEmpty, "a connection is left")
        }
    }

    private static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        do {
            return try await self.eventLoop.executeInContext(body)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private static func route(to upstream: FuzzUpstream) -> Route {
        guard let name = APIName("api") else { preconditionFailure("api is a name") }
        return Route(api: name, version: 1, endpoint: "/api", upstream: upstream) {
            ByteBuffer(string: #"{"message": "hello"}"#)
        }
    }
}
