import CortexTelemetry
import NIOCore
import NIOHTTP1

/// What is noted of a request once it is over: in the metrics, and in the access log.
extension ConnectionHandler {
    func record(
        _ exchange: Exchange,
        status: Int,
        _ timing: UpstreamTiming,
        errorCode: String?,
        now: NIODeadline
    ) {
        self.count(exchange, status: status, timing, now: now)
        self.log(exchange, status: status, timing, errorCode: errorCode, now: now)
    }

    func count(_ exchange: Exchange, status: Int, _ timing: UpstreamTiming, now: NIODeadline) {
        switch exchange.target {
        case .liveness, .readiness, .apiReadiness: return
        case .api where exchange.head.method == .POST:
            let total = now - exchange.arrival
            self.count(exchange) {
                $0.answered(status, total: total, queue: timing.queue, predict: timing.predict)
            }
        case .api, .index, .nothing: self.count(exchange) { $0.answeredWithoutPredictor(status) }
        }
    }

    /// At the API that has the request; and at the splitter that led it there, if one did.
    func count(_ exchange: Exchange, _ change: (inout APICounters) -> Void) {
        self.loop.count(exchange.route?.api, change)
        guard let splitter = exchange.splitter, let api = exchange.route?.api else { return }
        self.loop.count(api, ledBy: splitter.api, asCopy: false, change)
    }

    func log(
        _ exchange: Exchange,
        status: Int,
        _ timing: UpstreamTiming,
        errorCode: String?,
        now: NIODeadline
    ) {
        switch exchange.target {
        case .liveness, .readiness, .apiReadiness: return
        case .api, .index, .nothing: break
        }
        self.loop.log(
            exchange.record(status: status, client: self.client, timing: timing, errorCode: errorCode, now: now)
        )
    }

    /// The answer was cut since its reader took too little of it.
    func recordSlowReader(_ exchange: Exchange) {
        if exchange.route != nil { self.count(exchange) { $0.wasCancelled(stage: "reading") } }
        self.record(
            exchange,
            status: exchange.streamStatus,
            UpstreamTiming(),
            errorCode: "READER_TOO_SLOW",
            now: .now()
        )
    }

    /// 499 is what servers commonly log for a client that closed the connection before its answer.
    func recordCancelled(_ exchange: Exchange, stage: String) {
        exchange.body.release()
        self.count(exchange) { $0.wasCancelled(stage: stage) }
        self.loop.log(
            exchange.record(
                status: 499,
                client: self.client,
                timing: UpstreamTiming(),
                errorCode: "CLIENT_CLOSED",
                now: .now()
            )
        )
    }
}
