import CMemory
package import CortexSpec
package import CortexTelemetry
package import Logging
import NIOCore
import NIOHTTP1
package import NIOPosix
import NIOSSL

/// The data port: HTTP in, the route table, HTTP out.
package actor Gateway {
    package nonisolated let group: MultiThreadedEventLoopGroup
    private let configuration: GatewayConfiguration
    private let accessLog: LogSink
    private let logger: Logger
    private let loops: [NIOLoopBound<LoopContext>]
    private var listeners: [any Channel] = []
    /// Where this server's own workers come in; open until none of them works on a request any more.
    private var workerListener: (any Channel)?
    private var routes: [APIName: Route] = [:]

    package init(configuration: GatewayConfiguration, accessLog: LogSink, logger: Logger) async throws {
        // Bodies come and go: what glibc gives back to the system in between, it gets as pages that each cost a fault.
        cortex_keep_freed_memory(8 << 20, 4 << 20)
        self.configuration = configuration
        self.accessLog = accessLog
        self.logger = logger
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        let budget = ByteBudget(bytes: configuration.spoolBudget)
        let memory = ByteBudget(bytes: configuration.answerMemory)
        let places = ConnectionPlaces(limit: configuration.maximumConnections, logger: logger)
        var loops: [NIOLoopBound<LoopContext>] = []
        for (index, eventLoop) in self.group.makeIterator().enumerated() {
            loops.append(
                try await eventLoop.submit {
                    let context = LoopContext(
                        eventLoop: eventLoop,
                        index: index,
                        configuration: configuration,
                        budget: budget,
                        memory: memory,
                        places: places,
                        accessLog: accessLog
                    )
                    return NIOLoopBound(context, eventLoop: eventLoop)
                }.get()
            )
        }
        self.loops = loops
    }

    // MARK: The listener

    /// Opens the port; requests are answered from now on.
    /// - Returns: The port that was bound.
    /// - Throws: `IOError` where it is taken or not allowed.
    package func listen() async throws -> Int {
        let configuration = self.configuration
        let listener = try await self.bind(host: configuration.host, port: configuration.port) { channel, loop in
            try Self.addPlain(to: channel, loop: loop, configuration, isOfWorker: false)
        }
        self.listeners.append(listener)
        return listener.localAddress?.port ?? configuration.port
    }

    /// Opens a port for this server's own workers beside that, where they call other APIs.
    /// - Throws: `IOError` where it is taken or not allowed.
    package func listen(forWorkersAt address: WorkerAddress) async throws {
        let configuration = self.configuration
        self.workerListener = try await self.bind(host: address.host, port: address.port) { channel, loop in
            try Self.addPlain(to: channel, loop: loop, configuration, isOfWorker: true)
        }
    }

    /// Opens a port for HTTPS beside that: HTTP/2 and HTTP/1.1, as the client can.
    /// - Returns: The port that was bound.
    /// - Throws: `IOError` where it is taken or not allowed.
    package func listen(host: String, tlsPort: Int, certificates: CertificateStore) async throws -> Int {
        let configuration = self.configuration
        let listener = try await self.bind(host: host, port: tlsPort) { channel, loop in
            try channel.pipeline.syncOperations.addHandlers([
                PlaintextGuard(loop: loop.value),
                NIOSSLServerHandler(context: certificates.context),
                HandshakeHandler(loop: loop.value) { channel, isHTTP2 in
                    if isHTTP2 {
                        try HTTP2Connection.add(to: channel, loop: loop)
                    } else {
                        try Self.addHTTP1(to: channel, loop: loop, transport: .encrypted, configuration)
                    }
                },
            ])
        }
        self.listeners.append(listener)
        return listener.localAddress?.port ?? tlsPort
    }

    private static func addPlain(
        to channel: any Channel,
        loop: NIOLoopBound<LoopContext>,
        _ configuration: GatewayConfiguration,
        isOfWorker: Bool
    ) throws {
        // Whoever closes only its own side is still answered: see `ConnectionHandler`.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        try Self.addHTTP1(to: channel, loop: loop, transport: .plain, configuration, isOfWorker: isOfWorker)
    }

    private static func addHTTP1(
        to channel: any Channel,
        loop: NIOLoopBound<LoopContext>,
        transport: Transport,
        _ configuration: GatewayConfiguration,
        isOfWorker: Bool = false
    ) throws {
        // The parser keeps back no more than a part of a head. But after a request for another protocol it reads
        // nothing, and would let all that a client sends pile up.
        let framing = BodyFraming()
        let decoder = RequestDecoder(configuration, framing: framing)
        try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(decoder, maximumBufferSize: 2 * max(configuration.maximumHeadSize, 64 << 10)),
            ConnectionHandler(loop: loop.value, transport: transport, framing: framing, isOfWorker: isOfWorker)
        )
    }

    private func bind(
        host: String,
        port: Int,
        _ configure: @escaping @Sendable (any Channel, NIOLoopBound<LoopContext>) throws -> Void
    ) async throws -> any Channel {
        let loops = self.loops
        return try await ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A large body comes in a few large reads, but one in a turn: a connection keeps the memory of so many.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2048, maximum: 256 << 10)
            )
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { return }
                    try configure(channel, loop)
                }
            }
            .bind(host: host, port: port)
            .get()
    }

    // MARK: Routes

    /// Puts a route in place of the one of the same API.
    ///
    /// When this returns, no new request goes to the one before.
    package func setRoute(_ route: Route) async {
        self.routes[route.api] = route
        await self.publish(route.api)
    }

    package func removeRoute(_ api: APIName) async {
        self.routes[api] = nil
        await self.publish(api)
    }

    /// All APIs that are deployed have their routes now: what has none is not there.
    package func finishLoading() async {
        await self.onEachLoop { $0.isLoaded = true }
    }

    /// Tells the event loops of one route: what that costs does not grow with how many there are.
    private func publish(_ api: APIName) async {
        for loop in self.loops {
            // As it is by now: it may have changed again while other loops were told.
            let route = self.routes[api]
            try? await loop.eventLoop.submit { loop.value.set(route, of: api) }.get()
        }
    }

    // MARK: Seen from outside

    /// What was counted of each API that has a route.
    package func counters() async -> [APIName: APICounters] {
        var sum: [APIName: APICounters] = [:]
        for counters in await self.onEachLoop({ $0.counters }) {
            for (api, counters) in counters { sum[api, default: APICounters()] += counters }
        }
        return sum
    }

    /// What was counted of what splitters led to their APIs, by splitter; nothing of one that has led nothing yet.
    package func splitCounters() async -> [APIName: SplitCounters] {
        var sum: [APIName: SplitCounters] = [:]
        for splits in await self.onEachLoop({ $0.splits }) {
            for (splitter, counters) in splits { sum[splitter, default: SplitCounters()] += counters }
        }
        return sum
    }

    /// Whether an API could answer now.
    package func readiness(of api: APIName) async -> UpstreamReadiness {
        guard let route = self.routes[api] else { return .notReady(reason: "it is not deployed") }
        return await route.upstream.readiness()
    }

    /// What was counted of requests that are for no API.
    package func unroutedCounters() async -> APICounters {
        await self.onEachLoop { $0.unrouted }.reduce(into: APICounters()) { $0 += $1 }
    }

    package func counters(of api: APIName) async -> APICounters {
        await self.counters()[api] ?? APICounters()
    }

    /// What `/readyz` on the admin port answers: whether the server is ready, and its JSON.
    ///
    /// Where other gateways lead to the same APIs, `judgesAPIs` is false: none of them is less ready for an API that cannot
    /// answer, and clients would find nobody there to tell them so.
    package func readiness(requestID: String, judgesAPIs: Bool = true) async -> (isReady: Bool, json: String) {
        let obstacle = await self.onEachLoop({ $0.obstacle }).compactMap(\.self).first
        let routes = judgesAPIs ? RouteTable(Array(self.routes.values)).routes : []
        let report = await ReadinessReport(of: routes, isWhole: true, obstacle: obstacle)
        return (report.isReady, report.json(isVerbose: true, requestID: requestID))
    }

    // MARK: The end

    /// Says "not ready", keeps taking requests for a moment, then closes the port and waits for what is in flight, at most
    /// for the grace; what is left then is answered with an error.
    /// - Returns: Requests that were cut off at its end.
    package func drain() async -> Int {
        await self.onEachLoop { $0.isDraining = true }
        try? await Task.sleep(for: Duration(self.configuration.drainDelay))
        for listener in self.listeners { try? await listener.close() }
        let end = NIODeadline.now() + self.configuration.drainGrace
        await self.closeConnections(.ofClients, until: end)
        // Only now: what was in flight could call other APIs to its end.
        try? await self.workerListener?.close()
        await self.closeConnections(.all, until: end)
        await self.onEachLoop { $0.flushLog() }
        return await self.onEachLoop { $0.cut }.reduce(0, +)
    }

    private func closeConnections(_ which: LoopContext.Connections, until end: NIODeadline) async {
        await withDiscardingTaskGroup { group in
            for loop in self.loops {
                group.addTask {
                    let emptied = loop.eventLoop.flatSubmit { loop.value.closeConnections(which) }
                    let timeouts = [
                        loop.eventLoop.scheduleTask(deadline: end) { loop.value.cutOff() },
                        loop.eventLoop.scheduleTask(deadline: end + Self.farewell) { loop.value.closeNow() },
                    ]
                    try? await emptied.get()
                    for timeout in timeouts { timeout.cancel() }
                }
            }
        }
    }

    /// How long clients may take to read that they were cut off.
    private static let farewell = TimeAmount.milliseconds(500)

    /// Answers all that is in flight with an error; what is drained is drained then.
    package func cutOff() async {
        // At once on all of them: one that hangs holds up only its own.
        let cuts = self.loops.map { loop in loop.eventLoop.submit { loop.value.cutOff() } }
        for cut in cuts { try? await cut.get() }
    }

    @discardableResult
    private func onEachLoop<Value: Sendable>(_ body: @escaping @Sendable (LoopContext) -> Value) async -> [Value] {
        var values: [Value] = []
        for loop in self.loops {
            if let value = try? await loop.eventLoop.submit({ body(loop.value) }).get() { values.append(value) }
        }
        return values
    }
}
