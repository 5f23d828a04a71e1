import CortexTelemetry
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The port of a pod that monitors look at: whether it lives, whether it is ready, what it counts.
struct AdminListener: Service {
    let host: String
    /// 0 takes a free one.
    let port: Int
    let readiness: @Sendable () async -> (isReady: Bool, json: String)
    let metrics: @Sendable () async -> String
    /// JSON of what is known of models; nil where there are none.
    var models: (@Sendable () async -> String)?
    /// Called once, with the port.
    let onBound: @Sendable (Int) async -> Void
    let logger: Logger

    func run() async throws {
        let router = Router()
        router.get("/livez") { _, _ in Self.response("ok\n", mediaType: "text/plain; charset=utf-8") }
        router.get("/readyz") { [readiness] _, _ in
            let readiness = await readiness()
            return Self.response(
                readiness.json,
                status: readiness.isReady ? .ok : .serviceUnavailable,
                mediaType: "application/json"
            )
        }
        router.get("/metrics") { [metrics] _, _ in
            Self.response(await metrics(), mediaType: "text/plain; version=0.0.4; charset=utf-8")
        }
        if let models {
            router.get("/models") { _, _ in Self.response(await models(), mediaType: "application/json") }
        }
        var quiet = self.logger
        quiet.logLevel = max(quiet.logLevel, .notice)
        let application = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname(self.host, port: self.port)),
            onServerRunning: { [onBound] channel in
                if let port = channel.localAddress?.port { await onBound(port) }
            },
            logger: quiet
        )
        try await application.run()
    }

    private static func response(
        _ text: String,
        status: HTTPResponse.Status = .ok,
        mediaType: String
    ) -> Response {
        Response(
            status: status,
            headers: [.contentType: mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
