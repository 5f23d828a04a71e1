import CortexControlPlane
import CortexKubernetes
import CortexKubernetesProvider
import CortexTelemetry
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// Puts the operator of a cluster together and runs it until it is told to end, or another leads.
func runOperator(_ configuration: OperatorConfiguration) async throws {
    let logger = Logger(label: "cortex") { _ in LineLogHandler(asText: false) }
    let client = try KubernetesClient(configuration: configuration.cluster, logger: logger)
    let election = LeaseElection(
        client: client,
        name: CortexNames.operatorName,
        identity: configuration.identity,
        logger: logger
    )
    let store = ClusterStore(client: client, logger: logger)
    let projects = try await OperatorProjects(
        configuration.projectPlace,
        home: configuration.home,
        logger: logger
    )
    defer { projects.remove() }
    let provider = KubernetesProvider(
        client: client,
        store: store,
        settings: configuration.settings,
        isLeading: { election.isLeader },
        logger: logger
    )
    let reconciler = Reconciler(store: store, provider: provider, logger: logger)
    let autoscale = AutoscaleLoop(provider: provider, reconciler: reconciler, store: store, logger: logger)
    let leader = OperatorLeader(
        configuration: configuration,
        election: election,
        store: store,
        provider: provider,
        reconciler: reconciler,
        intake: ObjectIntake(
            client: client,
            store: store,
            reconciler: reconciler,
            projects: projects.store,
            logger: logger
        ),
        autoscale: autoscale,
        logger: logger
    )
    var quiet = logger
    quiet.logLevel = .notice
    let application = OperatorApplication(
        // Its tokens, and not its name, are what keeps others out: pods and port-forwards call it by many.
        address: OperatorApplication.Address(host: "0.0.0.0", port: configuration.port, names: nil),
        tokens: ClusterTokens(client: client, machineSecret: configuration.machineSecret),
        projects: projects.store,
        reconciler: reconciler,
        record: { await leader.record },
        metrics: {
            ByteBuffer(string: await provider.metrics() + AutoscalingMetrics.text(await autoscale.gauges()))
        },
        readiness: { _ in await leader.readiness },
        onBound: { logger.info("listening", metadata: ["port": "\($0)"]) },
        dataURL: { await provider.endpoint },
        reports: { await provider.receive($0) },
        logger: quiet
    )
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
        .init(service: leader, successTerminationBehavior: .gracefullyShutdownGroup),
        .init(service: OperatorAPIService(application: application)),
    ]
    // Ends after those that need it.
    if let service = projects.service { services.insert(.init(service: service), at: 0) }
    var group = ServiceGroupConfiguration(
        services: services,
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: quiet
    )
    group.maximumGracefulShutdownDuration = .seconds(20)
    let result: Result<Void, any Error>
    do {
        try await ServiceGroup(configuration: group).run()
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await client.shutdown()
    try result.get()
    logger.info("stopped")
}

private struct OperatorAPIService: Service {
    let application: OperatorApplication

    func run() async throws { try await self.application.run() }
}
