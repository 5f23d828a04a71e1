import HTTPTypes
import Hummingbird
import NIOCore

/// What monitors ask, and what the command line asks of the server itself.
struct ServerRoutes: Sendable {
    let record: @Sendable () async -> ServerRecord?
    let metrics: @Sendable () async -> ByteBuffer
    let readiness: @Sendable (_ requestID: String) async -> OperatorApplication.Readiness

    var routes: [OperatorRoute] {
        [
            self.alive("/livez", id: "isLive"), self.alive("/healthz", id: "isHealthy"), self.ready, self.numbers,
            self.info,
        ]
    }

    private func alive(_ path: String, id: String) -> OperatorRoute {
        OperatorRoute(
            method: .get,
            path: path,
            id: id,
            summary: "whether the process serves",
            answers: [RouteAnswer(status: .ok, summary: "it does", content: .text)],
            isOpen: true
        ) { _, _ in
            Response.text("ok\n")
        }
    }

    private var ready: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/readyz",
            id: "isReady",
            summary: "whether requests can be answered",
            answers: [
                RouteAnswer(status: .ok, summary: "they can", content: .text),
                RouteAnswer(status: .serviceUnavailable, summary: "why they cannot", content: .text),
            ],
            isOpen: true
        ) { _, context in
            let readiness = await self.readiness(context.requestID)
            return Response.text("\(readiness.summary)\n", status: readiness.isReady ? .ok : .serviceUnavailable)
        }
    }

    private var numbers: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/metrics",
            id: "getMetrics",
            summary: "counters and gauges as Prometheus reads them",
            answers: [RouteAnswer(status: .ok, summary: "Prometheus text", content: .text)],
            isOpen: true
        ) { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: await self.metrics())
            )
        }
    }

    private var info: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/info",
            id: "getServer",
            summary: "the server: its version, ports and process",
            answers: [
                RouteAnswer(status: .ok, summary: "the server", content: .json("Server")),
                .refusal(.serviceUnavailable, "it is still starting", headers: ["Retry-After"]),
            ]
        ) { _, _ in
            guard let record = await self.record() else { throw OperatorError.starting }
            return try Response.json(record)
        }
    }
}
