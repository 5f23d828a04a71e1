import ArgumentParser
import CortexControlPlane
import CortexGateway
import CortexLocalProvider
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Puts a server together and runs it until it is told to end: the one place that knows all its parts.
///
/// - Parameter companion: What else is to run in this process, while the server does.
/// - Throws: Where a port is taken, the state cannot be read, or a part ends before its time; what the companion throws.
func runServer(_ configuration: ServerConfiguration, companion: ServerCompanion? = nil) async throws {
    let logger = configuration.logger()
    LogSpace.observe { change in
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
    let ledger = try Leftovers.clear(home)
    let environments = try await ServerVariable.environments(home: configuration.toolHome)
    let accessLines = configuration.accessLog.isShown ? AccessLineOutput(asText: configuration.logsAreText) : nil
    let accessLog = LogSink(file: RotatingFile(path: "\(home.logs)/access.log"), echo: accessLines?.write)
    let limits = try GatewayLimits.configuration(configuration, environment: environment)
    for (variable, meant) in LimitOptions.misspelt(in: environment) {
        logger.warning("\(variable) sets nothing; did you mean \(meant.variable)?")
    }
    let gateway = try await Gateway(configuration: limits, accessLog: accessLog, logger: logger)
    let certificates = try configuration.certificates()
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
    let sources = try ModelSources(
        configuration,
        environments: environments,
        ledger: ledger,
        sockets: sockets,
        environment: environment,
        eventLoops: gateway.group,
        logger: logger
    )
    let machine = LocalMachine(
        home: home,
        version: CortexVersion.current,
        environment: environment,
        gateway: gateway,
        projects: projects,
        environments: environments,
        models: sources.models,
        workerPackage: sources.workerPackage,
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
    // Started in this order, ended in the reverse one: the gateway drains while its workers still live.
    let services: [ServiceGroupConfiguration.ServiceConfiguration] =
        [
            .init(service: AccessLogService(sink: accessLog)),
            .init(service: ModelService(models: sources.models, agent: sources.agent)),
            .init(service: ProviderService(provider: provider)),
            .init(service: ReconcilerService(reconciler: reconciler, gateway: gateway)),
            .init(service: AutoscaleService(loop: autoscale)),
            .init(service: OperatorService(application: application)),
            .init(service: gatewayService),
        ] + (certificates.map { [.init(service: CertificateService(certificates: $0, logger: logger))] } ?? [])
        + (companions ?? [])
    // From here on; a signal before this finds no worker to drain, and ends the process as it ends any.
    let signals = await ShutdownSignals(home: home, ledger: ledger, logger: logger, hasTerminal: companion == nil) {
        await gateway.cutOff()
        await accessLog.flush()
    }
    let run = ServiceRun(
        services: services,
        patience: Duration(limits.drainDelay) + Duration(limits.drainGrace) + .seconds(30),
        signals: signals,
        asText: configuration.logsAreText
    )
    try await run.run()
    let cut = gatewayService.cut.load(ordering: .relaxed)
    guard cut == 0 else {
        guard configuration.logsAreText else {
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
