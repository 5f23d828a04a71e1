import ArgumentParser
import CortexControlPlane
import CortexGateway
import CortexLocalProvider
import CortexModels
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Puts a server together and runs it until it is told to end: the one place that knows all its parts.
///
/// - Parameter companion: What else is to run in this process, while the server does.
/// - Throws: Where a port is taken, the state cannot be read, or a part ends before its time; what the companion throws.
func runServer(_ configuration: ServerConfiguration, companion: ServerCompanion? = nil) async throws {
    let asText = configuration.logFormat == .text || configuration.logFormat == .auto && isatty(2) == 1
    var logger = Logger(label: "cortex") { _ in LineLogHandler(asText: asText) }
    logger.logLevel = configuration.logLevel
    LogSpace.observe { [logger] change in
        switch change {
        case .failed(let path, let reason):
            logger.warning(
                "log lines are lost: they cannot be written",
                metadata: ["file": "\(path)", "error": "\(reason)"]
            )
        case .passed: logger.notice("log lines are written again")
        }
    }
    DescriptorLimit.raise()
    try DescriptorLimit.check(for: [])
    let environment = ProcessInfo.processInfo.environment
    let home = configuration.home
    for folder in ["\(home.logs)/apis", "\(home.run)/workers"] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let ledger = try WorkerLedger(directory: "\(home.run)/workers")
    ledger.endOrphans()
    try Leftovers.remove(from: home)

    let environments = try await ServerVariable.environments(home: configuration.toolHome)
    let accessLines = configuration.accessLog.isShown ? AccessLineOutput(asText: asText) : nil
    let accessLog = LogSink(file: RotatingFile(path: "\(home.logs)/access.log"), echo: accessLines?.write)
    let limits = try GatewayLimits.configuration(configuration, environment: environment)
    for (variable, meant) in LimitOptions.misspelt(in: environment) {
        logger.warning("\(variable) sets nothing; did you mean \(meant.variable)?")
    }
    let gateway = try await Gateway(configuration: limits, accessLog: accessLog, logger: logger)
    let certificates = try certificates(of: configuration)
    let port = try await gateway.listen()
    var tlsPort: Int?
    if let tls = configuration.tls, let certificates {
        tlsPort = try await gateway.listen(host: configuration.host, tlsPort: tls.port, certificates: certificates)
    }
    let workerAddress = await ChainingListener(
        gateway: gateway,
        configuration: configuration,
        port: port,
        logger: logger
    ).open()
    let sockets = try SocketDirectory(home: home)
    defer { sockets.remove() }
    let store = try StateStore(home: home)
    try DescriptorLimit.check(for: try await store.allWanted().compactMap(\.deployment.spec.api))
    let tokens = TokenStore(store: store)
    _ = try await tokens.ensureLocalToken(home: home)
    let projects = try ProjectStore(folder: home.projects)
    let workerPackage = try WorkerPackage.unpack(below: configuration.toolHome.tools)
    let agent = StorageAgent(
        launch: StorageAgentLaunch(
            python: { progress in
                try await environments.toolEnvironment(packages: StorageAgent.requirements, progress: progress).python
            },
            package: workerPackage,
            socket: "\(sockets.path)/storage.sock",
            environment: environment,
            started: {
                ledger.started($0)
                OutOfMemoryScore.raise(of: $0)
            },
            ended: { ledger.ended($0) }
        ),
        eventLoops: gateway.group,
        logger: logger
    )
    let models = try ModelLibrary(
        folder: home.models,
        local: FolderStorage(),
        remote: agent,
        pollInterval: try ServerVariable.duration("CORTEX_MODEL_POLL_INTERVAL", in: environment) ?? .seconds(10),
        logger: logger
    )
    let machine = LocalMachine(
        home: home,
        version: CortexVersion.current,
        environment: environment,
        gateway: gateway,
        projects: projects,
        environments: environments,
        models: models,
        workerPackage: workerPackage,
        ledger: ledger,
        socketDirectory: sockets.path,
        baseURL: "http://localhost:\(port)",
        workerAddress: workerAddress,
        isChaining: configuration.isChaining,
        payloadLimits: configuration.limits.payloads,
        handOverDepth: try ServerVariable.count("CORTEX_HANDOVER_DEPTH", in: 1...8, of: environment) ?? 8,
        wakeTimeout: .nanoseconds(configuration.limits[.wakeTimeout]),
        logger: logger
    )
    let provider = LocalProvider(
        machine: machine,
        environmentBudget: EnvironmentBudget(
            limit: try ServerVariable.bytes("CORTEX_ENVIRONMENT_BUDGET", in: environment)
                .map { ByteCount(Int64($0)) } ?? .gibibytes(20),
            uses: {
                let uses = try await store.environmentUses()
                // A home that borrows its environments leaves alone what their owner needs, also while that is down.
                guard configuration.toolHome != home else { return uses }
                return try await uses.union(StateStore.environmentUses(of: configuration.toolHome))
            }
        )
    )
    let reconciler = Reconciler(store: store, provider: provider, logger: logger)
    let autoscale = AutoscaleLoop(provider: provider, reconciler: reconciler, store: store, logger: logger)
    let bound = BoundServer(
        configuration: configuration,
        port: port,
        tlsPort: tlsPort,
        chainingAddress: configuration.isChaining ? "\(workerAddress)" : nil,
        logger: logger
    )
    var operatorLogger = logger
    // Ended at once, by a second Ctrl-C, its server complains of having been cancelled: at a terminal that helps nobody.
    if companion != nil { operatorLogger.logLevel = .critical }
    let application = OperatorApplication(
        address: .loopback(port: configuration.operatorPort),
        tokens: tokens,
        projects: projects,
        reconciler: reconciler,
        record: { await bound.record },
        metrics: { ByteBuffer(string: await provider.metrics() + AutoscalingMetrics.text(await autoscale.gauges())) },
        readiness: {
            let readiness = await gateway.readiness(requestID: $0)
            return OperatorApplication.Readiness(isReady: readiness.isReady, summary: readiness.json)
        },
        onBound: { await bound.operatorBound(to: $0) },
        logger: operatorLogger
    )
    let companions = companion.map { companion in
        let service = CompanionService(companion: companion) {
            guard let record = await bound.next(), let token = TokenStore.localToken(home) else { return nil }
            return RunningServer(
                record: record,
                client: OperatorClient(port: record.operatorPort, token: token),
                provider: provider,
                projects: projects,
                accessLog: accessLog
            )
        }
        return [
            ServiceGroupConfiguration.ServiceConfiguration(
                service: service,
                successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup
            )
        ]
    }
    let gatewayService = GatewayService(gateway: gateway) { await bound.beganShutdown() }
    var configured = ServiceGroupConfiguration(
        // Started in this order, ended in the reverse one: the gateway drains while its workers still live.
        services: [
            .init(service: AccessLogService(sink: accessLog)),
            .init(service: ModelService(models: models, agent: agent)),
            .init(service: ProviderService(provider: provider)),
            .init(service: ReconcilerService(reconciler: reconciler, gateway: gateway)),
            .init(service: AutoscaleService(loop: autoscale)),
            .init(service: OperatorService(application: application)),
            .init(service: gatewayService),
        ] + (certificates.map { [.init(service: CertificateService(certificates: $0, logger: logger))] } ?? [])
            + (companions ?? []),
        logger: Logger(label: "cortex.lifecycle") { _ in
            var handler = LineLogHandler(asText: asText)
            handler.logLevel = .error
            return handler
        }
    )
    configured.maximumGracefulShutdownDuration =
        Duration(limits.drainDelay) + Duration(limits.drainGrace) + .seconds(30)
    // From here on; a signal before this finds no worker to drain, and ends the process as it ends any.
    let signals = await ShutdownSignals(home: home, ledger: ledger, logger: logger, hasTerminal: companion == nil) {
        await gateway.cutOff()
        await accessLog.flush()
    }
    let group = ServiceGroup(configuration: configured)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        tasks.addTask {
            await signals.watch { await group.triggerGracefulShutdown() }
            // Cancelled; the group's own end is what counts.
            try await Task.sleep(for: .seconds(1 << 30))
        }
        defer { tasks.cancelAll() }
        try await tasks.next()
    }
    let cut = gatewayService.cut.load(ordering: .relaxed)
    guard cut == 0 else {
        guard asText else {
            // Whoever reads JSON is not to meet a line that is none.
            let grace = Duration(limits.drainGrace).goText
            logger.error("stopped, with \(cut) request\(cut == 1 ? "" : "s") unanswered after \(grace)")
            throw ExitCode(1)
        }
        throw CommandFailure(
            "stopped, with \(cut) request\(cut == 1 ? "" : "s") unanswered after \(Duration(limits.drainGrace).goText)",
            hint: "a longer grace is given with --drain-grace (CORTEX_DRAIN_GRACE)"
        )
    }
    logger.info("stopped")
}

/// The certificate for HTTPS; nil where there is to be none.
func certificates(of configuration: ServerConfiguration) throws -> CertificateStore? {
    guard let tls = configuration.tls else { return nil }
    do {
        return try CertificateStore(tls.files)
    } catch {
        throw CommandFailure("HTTPS: \(error)", hint: error.advice)
    }
}

/// Writes the server's record once all ports are bound, since that is what tells clients of it.
private actor BoundServer {
    private let configuration: ServerConfiguration
    private let port: Int
    private let tlsPort: Int?
    private let chainingAddress: String?
    private let logger: Logger
    private(set) var record: ServerRecord?
    private var isShuttingDown = false
    /// Told once, when the record is there.
    private let (records, tell) = AsyncStream.makeStream(of: ServerRecord.self, bufferingPolicy: .bufferingNewest(1))

    init(configuration: ServerConfiguration, port: Int, tlsPort: Int?, chainingAddress: String?, logger: Logger) {
        self.configuration = configuration
        self.port = port
        self.tlsPort = tlsPort
        self.chainingAddress = chainingAddress
        self.logger = logger
    }

    /// The record, once both ports are bound; nil where the task is cancelled before.
    ///
    /// To be called once.
    nonisolated func next() async -> ServerRecord? {
        await self.records.first { _ in true }
    }

    /// From here on commands are told so.
    func beganShutdown() {
        self.isShuttingDown = true
        guard var record = self.record else { return }
        record.isShuttingDown = true
        self.write(record)
    }

    private func write(_ record: ServerRecord) {
        self.record = record
        do {
            try record.write(in: self.configuration.home)
        } catch {
            self.logger.error("the server's record cannot be written", metadata: ["error": "\(error)"])
        }
    }

    func operatorBound(to operatorPort: Int) {
        var record = ServerRecord(
            home: self.configuration.home,
            version: CortexVersion.current,
            host: self.configuration.host,
            port: self.port,
            operatorPort: operatorPort,
            tlsPort: self.tlsPort
        )
        record.chainingAddress = self.chainingAddress
        record.isShuttingDown = self.isShuttingDown
        self.write(record)
        self.tell.yield(record)
        let host = self.configuration.host
        let tls = self.tlsPort.map { "https://\(host.contains(":") ? "[\(host)]" : host):\($0)" }
        self.logger.info(
            "serving",
            metadata: [
                "https": "\(tls ?? "off")",
                "chaining": "\(self.chainingAddress ?? "off")",
                "data": "http://\(host.contains(":") ? "[\(host)]" : host):\(self.port)",
                "operator": "http://127.0.0.1:\(operatorPort)",
                "home": "\(self.configuration.home.path)",
                "pid": "\(record.pid)",
            ]
        )
    }
}

struct AccessLogService: Service {
    let sink: LogSink

    func run() async throws {
        await withGracefulShutdownHandler {
            await self.sink.run()
        } onGracefulShutdown: {
            self.sink.close()
        }
    }
}

/// Ends after the provider, whose versions let go of their models as they end.
struct ModelService: Service {
    let models: ModelLibrary
    let agent: StorageAgent

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.agent.run() }
                await self.models.run()
                group.cancelAll()
            }
        }
    }
}

struct ProviderService: Service {
    let provider: LocalProvider

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.provider.run() }
            group.addTask {
                try await gracefulShutdown()
                await self.provider.shutdown()
            }
            try await group.waitForAll()
        }
    }
}

private struct ReconcilerService: Service {
    let reconciler: Reconciler
    let gateway: Gateway

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await self.reconciler.run { await self.gateway.finishLoading() }
            }
        } catch is CancellationError {
            // Asked to end: what was wanted is in the store.
        }
    }
}

private struct OperatorService: Service {
    let application: OperatorApplication

    func run() async throws { try await self.application.run() }
}

final class GatewayService: Service {
    let gateway: Gateway
    private let onShutdown: @Sendable () async -> Void
    /// Requests that the end of the grace cut off.
    let cut = Atomic<Int>(0)

    init(gateway: Gateway, onShutdown: @escaping @Sendable () async -> Void) {
        self.gateway = gateway
        self.onShutdown = onShutdown
    }

    func run() async throws {
        try? await gracefulShutdown()
        await self.onShutdown()
        self.cut.store(await self.gateway.drain(), ordering: .relaxed)
    }
}
