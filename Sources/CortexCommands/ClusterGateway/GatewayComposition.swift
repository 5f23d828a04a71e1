import CortexControlPlane
import CortexGateway
import CortexKubernetes
import CortexLocalProvider
import CortexNetwork
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Puts a cluster's gateway together and runs it until it is told to end.
///
/// - Parameter routes: Where the routes are; nil where the cluster is asked.
func runGateway(
    _ configuration: ServerConfiguration,
    routes: RoutesFile?,
    environment: [String: String]
) async throws {
    let logger = configuration.logger()
    DescriptorLimit.raise()
    let home = configuration.home
    let ledger = try WorkerLedger(directory: "\(home.run)/workers")
    try Leftovers.remove(from: home)
    let accessLog = LogSink(file: RotatingFile(path: "\(home.logs)/access.log"))
    var limits = try GatewayLimits.configuration(configuration, environment: environment)
    limits.inlineLimit = configuration.limits[.inlineLimit]
    let gateway = try await Gateway(configuration: limits, accessLog: accessLog, logger: logger)
    let certificates = try configuration.certificates()
    let port = try await gateway.listen()
    if let tls = configuration.tls, let certificates {
        _ = try await gateway.listen(host: configuration.host, tlsPort: tls.port, certificates: certificates)
    }
    var settings = NetworkSettings()
    settings.wakeTimeout = .nanoseconds(Int64(configuration.limits[.wakeTimeout]))
    let (waits, waiting) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let book = RouteBook(
        gateway: gateway,
        settings: settings,
        environment: environment,
        onWaiting: { waiting.yield() },
        logger: logger
    )
    let reports = ServerVariable.text("CORTEX_INTERNAL_TOKEN", in: environment).map { token in
        OperatorReports(
            url: ServerVariable.text("CORTEX_OPERATOR_URL", in: environment) ?? "http://cortex-operator:8889",
            token: token,
            name: "\(ServerVariable.text("CORTEX_POD", in: environment) ?? "gateway")/\(WallClock.milliseconds())",
            gateway: gateway,
            book: book,
            waits: waits,
            logger: logger
        )
    }
    var cluster: KubernetesClient?
    if routes == nil {
        do {
            cluster = try KubernetesClient(configuration: .inCluster(environment: environment), logger: logger)
        } catch let error as KubernetesConfigurationError {
            throw CommandFailure("\(error)", hint: "outside of a cluster, name a file with --routes")
        }
    }
    let ports = PodPorts(host: configuration.host, dataPort: port, logger: logger)
    let admin = AdminListener(
        host: configuration.host,
        port: configuration.operatorPort,
        readiness: { await gateway.readiness(requestID: "readyz", judgesAPIs: false) },
        metrics: { await GatewayMetrics.text(gateway, book) },
        onBound: { await ports.adminBound(to: $0) },
        logger: logger
    )
    let gatewayService = GatewayService(gateway: gateway) {}
    let services: [any Service] =
        [
            AccessLogService(sink: accessLog),
            RouteService(book: book, routes: routes, cluster: cluster, gateway: gateway, logger: logger),
            ReportService(reports: reports),
            admin,
        ] + (certificates.map { [CertificateService(certificates: $0, logger: logger)] } ?? []) + [gatewayService]
    let signals = await ShutdownSignals(home: home, ledger: ledger, logger: logger, hasTerminal: true) {
        await gateway.cutOff()
        await accessLog.flush()
    }
    let patience = Duration(limits.drainDelay) + Duration(limits.drainGrace) + .seconds(10)
    let run = ServiceRun(
        services: services.map { .init(service: $0) },
        patience: patience,
        signals: signals,
        asText: configuration.logsAreText
    )
    let result: Result<Void, any Error>
    do {
        result = .success(try await run.run())
    } catch {
        result = .failure(error)
    }
    await cluster?.shutdown()
    try result.get()
    logger.info("stopped", metadata: ["unanswered": "\(gatewayService.cut.load(ordering: .relaxed))"])
}

/// Keeps the routes as they are told.
private struct RouteService: Service {
    let book: RouteBook
    let routes: RoutesFile?
    let cluster: KubernetesClient?
    let gateway: Gateway
    let logger: Logger

    func run() async throws {
        // Not before the gateway has drained, but with it: requests in flight may still need another replica.
        await withDiscardingTaskGroup { group in
            group.addTask { await self.book.watchKeys() }
            group.addTask {
                if let routes = self.routes {
                    if let all = try? routes.read() { await self.book.set(all: all) }
                    await self.gateway.finishLoading()
                    await routes.follow(self.book)
                }
                if let cluster = self.cluster {
                    let gateway = self.gateway
                    await ClusterRoutes(client: cluster, book: self.book, logger: self.logger) {
                        await gateway.finishLoading()
                    }.run()
                }
            }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }
}

/// Reports to the operator until the gateway has drained: what is in flight counts to its end.
private struct ReportService: Service {
    let reports: OperatorReports?

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.reports?.run() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }
}
