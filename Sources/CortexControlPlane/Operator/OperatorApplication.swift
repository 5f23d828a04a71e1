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

    private let port: Int
    private let tokens: TokenStore
    private let projects: ProjectStore
    private let reconciler: Reconciler
    private let record: @Sendable () async -> ServerRecord?
    private let metrics: @Sendable () async -> ByteBuffer
    private let readiness: @Sendable (_ requestID: String) async -> Readiness
    private let onBound: @Sendable (Int) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - port: On 127.0.0.1; 0 takes a free one.
    ///   - record: What `GET /v1/info` tells; nil while the server starts, and then it answers 503.
    ///   - metrics: The body of `/metrics`, Prometheus text.
    ///   - readiness: The answer of `/readyz`, which names its request where it is an error.
    ///   - onBound: Called once, with the port, when connections are accepted.
    package init(
        port: Int,
        tokens: TokenStore,
        projects: ProjectStore,
        reconciler: Reconciler,
        record: @escaping @Sendable () async -> ServerRecord?,
        metrics: @escaping @Sendable () async -> ByteBuffer,
        readiness: @escaping @Sendable (_ requestID: String) async -> Readiness,
        onBound: @escaping @Sendable (Int) async -> Void,
        logger: Logger
    ) {
        self.port = port
        self.tokens = tokens
        self.projects = projects
        self.reconciler = reconciler
        self.record = record
        self.metrics = metrics
        self.readiness = readiness
        self.onBound = onBound
        self.logger = logger
    }

    /// Serves until the task is cancelled, or until graceful shutdown and the end of what is in flight.
    ///
    /// Throws where the port cannot be bound.
    package func run() async throws {
        let routes = self.routes
        let router = Router(context: OperatorContext.self)
        router.middlewares.add(OperatorErrorMiddleware(routes: routes))
        router.middlewares.add(AccessMiddleware(tokens: self.tokens, openPaths: routes.openPaths))
        router.middlewares.add(ShutdownMiddleware(record: self.record))
        routes.add(to: router)

        let application = Application(
            router: router,
            // A request head that does not end, or a connection left open, holds nothing for long.
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: self.port)),
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
                + APIRoutes(reconciler: self.reconciler, baseURL: self.baseURL).routes
        )
    }

    private var baseURL: @Sendable () async -> String {
        { [record] in
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
