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

/// Puts a replica together and runs it until it is told to end: the local server with one API of one replica, and without an
/// operator.
/// - Throws: `CommandFailure` where the version does not come up.
func runReplica(_ configuration: ServerConfiguration, environment: [String: String]) async throws {
    let logger = configuration.logger()
    let file = DeploymentFile(environment: environment)
    let deployment = try file.read()
    DescriptorLimit.raise()
    try DescriptorLimit.check(for: [deployment.spec])
    let home = configuration.home
    let ledger = try Leftovers.clear(home)

    var limits = try GatewayLimits.configuration(configuration, environment: environment)
    // The queue is on one event loop, and so is all else: what a gateway is told of a start is out before the start.
    limits.eventLoops = 1
    limits.maximumBodySize = 1 << 50
    limits.replicaName = ServerVariable.text("CORTEX_POD", in: environment) ?? "replica"
    let accessLog = LogSink(file: RotatingFile(path: "\(home.logs)/access.log"))
    let gateway = try await Gateway(configuration: limits, accessLog: accessLog, logger: logger)
    let port = try await gateway.listen()
    let sockets = try SocketDirectory(home: home)
    defer { sockets.remove() }

    let environments = try await ServerVariable.environments(home: configuration.toolHome)
    let sources = try ModelSources(
        configuration,
        environments: environments,
        ledger: ledger,
        sockets: sockets,
        environment: environment,
        eventLoops: gateway.group,
        logger: logger
    )
    let output = PodLog.standardOutput()
    let machine = LocalMachine(
        home: home,
        version: CortexVersion.current,
        environment: environment,
        gateway: gateway,
        projects: try ProjectStore(folder: home.projects),
        environments: environments,
        models: sources.models,
        workerPackage: sources.workerPackage,
        ledger: ledger,
        socketDirectory: sockets.path,
        baseURL: "http://localhost:\(port)",
        workerAddress: WorkerAddress(host: "cortex-gateway", port: WorkerAddress.usualPort),
        isChaining: true,
        hasNameService: true,
        payloadLimits: configuration.limits.payloads,
        handOverDepth: try ServerVariable.count("CORTEX_HANDOVER_DEPTH", in: 1...8, of: environment) ?? 4,
        wakeTimeout: .nanoseconds(configuration.limits[.wakeTimeout]),
        logEcho: { output.write($0) },
        logger: logger
    )
    let provider = LocalProvider(machine: machine)
    let ports = PodPorts(host: configuration.host, dataPort: port, logger: logger)
    let admin = AdminListener(
        host: configuration.host,
        port: configuration.operatorPort,
        readiness: { await gateway.readiness(requestID: "readyz") },
        metrics: { await provider.metrics() },
        models: {
            let models = await provider.models(of: deployment.spec.name)
            return (try? StateJSON.encoder().encode(models)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        },
        onBound: { await ports.adminBound(to: $0) },
        logger: logger
    )
    let service = ReplicaService(
        file: file,
        deployment: deployment,
        provider: provider,
        gateway: gateway,
        logger: logger
    )
    let signals = await ShutdownSignals(home: home, ledger: ledger, logger: logger, hasTerminal: true) {
        await gateway.cutOff()
        await accessLog.flush()
    }
    let gatewayService = GatewayService(gateway: gateway) {}
    let run = ServiceRun(
        services: [
            .init(service: AccessLogService(sink: accessLog)),
            .init(service: ModelService(models: sources.models, agent: sources.agent)),
            .init(service: ProviderService(provider: provider)),
            .init(service: admin),
            .init(
                service: service,
                successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup
            ),
            .init(service: gatewayService),
        ],
        patience: Duration(limits.drainDelay) + Duration(limits.drainGrace) + .seconds(30),
        signals: signals,
        asText: configuration.logsAreText
    )
    try await run.run()
    if let reason = await service.failure {
        throw CommandFailure("version \(deployment.version) of \(deployment.spec.name) could not be started: \(reason)")
    }
    logger.info("stopped", metadata: ["unanswered": "\(gatewayService.cut.load(ordering: .relaxed))"])
}
