import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// The operator: the REST API that the command line speaks, on a loopback port of its own.
///
/// Every route needs a bearer token, except `/metrics`, the health routes, and the documents of the API and the config file.
package struct OperatorApplication: Sendable {
    /// What a monitor is told by `/readyz`.
    package struct Readiness: Hashable, Sendable {
        package var isReady: Bool
        /// A line for people, such as `ready` or why not.
        package var summary: String

        package init(isReady: Bool, summary: String) {
            self.isReady = isReady
            self.summary = summary
        }
    }

    /// Where it listens, and what it is called there.
    package struct Address: Hashable, Sendable {
        package var host: String
        /// 0 takes a free one.
        package var port: Int
        /// Names that it answers to beside loopback's, in lower case; nil where any name is its own.
        package var names: Set<String>?

        package init(host: String, port: Int, names: Set<String>?) {
            self.host = host
            self.port = port
            self.names = names
        }

        /// On this machine only.
        package static func loopback(port: Int) -> Self { Self(host: "127.0.0.1", port: port, names: []) }
    }

    private let address: Address
    private let tokens: any AccessTokens
    private let projects: ProjectStore
    private let reconciler: Reconciler
    private let record: @Sendable () async -> ServerRecord?
    private let metrics: @Sendable () async -> ByteBuffer
    private let readiness: @Sendable (_ requestID: String) async -> Readiness
    private let onBound: @Sendable (Int) async -> Void
    private let dataURL: (@Sendable () async -> String)?
    private let reports: (@Sendable (GatewayReport) async -> Void)?
    private let logger: Logger

    /// - Parameters:
    ///   - record: What `GET /v1/info` tells; nil while the server starts, and then it answers 503.
    ///   - metrics: The body of `/metrics`, Prometheus text.
    ///   - readiness: The answer of `/readyz`, which names its request where it is an error.
    ///   - onBound: Called once, with the port, when connections are accepted.
    ///   - dataURL: Where users find APIs, without a trailing slash; nil where that is the record's port.
    ///   - reports: Told what gateways of other machines report; nil where there are none.
    package init(
        address: Address,
        tokens: any AccessTokens,
        projects: ProjectStore,
        reconciler: Reconciler,
        record: @escaping @Sendable () async -> ServerRecord?,
        metrics: @escaping @Sendable () async -> ByteBuffer,
        readiness: @escaping @Sendable (_ requestID: String) async -> Readiness,
        onBound: @escaping @Sendable (Int) async -> Void,
        dataURL: (@Sendable () async -> String)? = nil,
        reports: (@Sendable (GatewayReport) async -> Void)? = nil,
        logger: Logger
    ) {
        self.address = address
        self.tokens = tokens
        self.projects = projects
        self.reconciler = reconciler
        self.record = record
        self.metrics = metrics
        self.readiness = readiness
        self.onBound = onBound
        self.dataURL = dataURL
        self.reports = reports
        self.logger = logger
    }

    /// Serves until the task is cancelled, or until graceful shutdown and the end of what is in flight.
    ///
    /// Throws where the port cannot be bound.
    package func run() async throws {
        let routes = self.routes
        let router = Router(context: OperatorContext.self)
        router.middlewares.add(OperatorErrorMiddleware(routes: routes))
        router.middlewares.add(AccessMiddleware(tokens: self.tokens, routes: routes, names: self.address.names))
        router.middlewares.add(ShutdownMiddleware(record: self.record, openPaths: routes.openPaths))
        routes.add(to: router)

        let application = Application(
            router: router,
            // A request head that does not end, or a connection left open, holds nothing for long.
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname(self.address.host, port: self.address.port)),
            onServerRunning: { [onBound] channel in
                if let port = channel.localAddress?.port { await onBound(port) }
            },
            logger: self.quietLogger
        )
        try await application.run()
    }

    /// All that is answered here.
    var routes: OperatorRoutes {
        OperatorRoutes(
            ServerRoutes(record: self.record, metrics: self.metrics, readiness: self.readiness).routes
                + PruneRoutes(projects: self.projects, reconciler: self.reconciler).routes
                + TokenRoutes(tokens: self.tokens).routes
                + ProjectRoutes(projects: self.projects).routes
                + DeployRoutes(projects: self.projects, reconciler: self.reconciler, baseURL: self.baseURL).routes
                + APIRoutes(projects: self.projects, reconciler: self.reconciler, baseURL: self.baseURL).routes
                + (self.reports.map { GatewayRoutes(receive: $0).routes } ?? [])
        )
    }

    private var baseURL: @Sendable () async -> String {
        { [record, dataURL] in
            if let dataURL { return await dataURL() }
            guard let record = await record() else { return "" }
            return "http://localhost:\(record.port)"
        }
    }

    /// Hummingbird tells at `info` what the server says itself.
    private var quietLogger: Logger {
        var logger = self.logger
        logger.logLevel = max(logger.logLevel, .notice)
        return logger
    }
}
