import CortexGateway
import CortexServing
import CortexTelemetry
import NIOCore
import NIOHTTP1

/// The gateway's upstream on this machine: the admission queue of one version of an API.
///
/// It turns what HTTP brought into what a worker needs, and no more than that: query and headers travel only where the
/// predictor names them.
struct QueueUpstream: Upstream {
    let queue: AdmissionQueue
    /// Which of `payload`, `query_params`, `headers`, `context` the predictor takes.
    let arguments: Set<String>
    let log: APILog
    let version: Int
    /// What keeps the workers from answering, where they know better than the queue.
    let health: @Sendable () async -> ReplicaHealth?

    func probe(_ responder: UpstreamResponder) {
        self.onQueue { queue in
            responder.receive(queue.refusal().map { .noRoom(UpstreamFailure($0)) } ?? .room)
        }
    }

    func send(_ request: UpstreamRequest, to responder: UpstreamResponder) {
        let predict = self.predictRequest(request)
        let bridge = ResponderBridge(responder: responder, requestID: request.id, log: self.log, version: self.version)
        self.onQueue { $0.submit(predict, bridge) }
    }

    func cancel(_ number: UInt64) {
        self.onQueue { $0.cancel(number) }
    }

    func setFlow(of number: UInt64, isOpen: Bool) {
        self.onQueue { $0.setFlow(of: number, isOpen: isOpen) }
    }

    func readiness() async -> UpstreamReadiness {
        switch await self.queue.readiness {
        case .able:
            guard let obstacle = await self.health()?.obstacle else { return .ready }
            return .notReady(reason: obstacle)
        case .noSlots:
            let health = await self.health()
            let reason = health?.obstacle ?? "none of its workers is running"
            return .notReady(reason: reason, retryAfter: health?.nextStart)
        case .doubtful:
            let reason = "its workers run requests that are past the deadline; one that does not come back is replaced"
            return .notReady(reason: reason, retryAfter: .nanoseconds(AdmissionQueue.grace.nanoseconds))
        case .refusing(let reason):
            let health = await self.health()
            let detail = health?.obstacle.map { "; \($0)" } ?? ""
            return .notReady(reason: reason + detail, retryAfter: health?.nextStart)
        case .draining: return .notReady(reason: "this version is shutting down")
        }
    }

    /// Straight in where the queue lives on the caller's event loop, by a hop where it does not.
    private func onQueue(_ body: @escaping @Sendable (isolated AdmissionQueue) -> Void) {
        if self.queue.eventLoop.inEventLoop {
            self.queue.assumeIsolated(body)
        } else {
            self.queue.eventLoop.execute { self.queue.assumeIsolated(body) }
        }
    }

    private func predictRequest(_ request: UpstreamRequest) -> PredictRequest {
        let contentType = request.headers.first(name: "content-type")
        let payload = self.arguments.contains("payload") ? PredictRequest.Payload(contentType: contentType) : .none
        let body: PredictRequest.Body =
            switch request.body {
            case _ where payload == .none: .inline(ByteBuffer())
            case .bytes(let bytes): .inline(bytes)
            case .spooled(let path, _): .spooled(path: path)
            }
        return PredictRequest(
            id: request.number,
            requestID: request.id,
            payload: payload,
            meta: self.meta(of: request, payload, contentType),
            body: body,
            deadline: request.deadline,
            apiDeadline: request.apiDeadline,
            hops: 0
        )
    }

    /// A header's bytes, each as the scalar of that number.
    ///
    /// That is what Starlette, which reads headers as ISO 8859-1, would have.
    private static func latin1(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 >= 0x80 }) else { return value }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: value.utf8.lazy.map { Unicode.Scalar($0) })
        return String(text)
    }

    private func meta(
        of request: UpstreamRequest,
        _ payload: PredictRequest.Payload,
        _ contentType: String?
    ) -> ByteBuffer? {
        let needsQuery = self.arguments.contains("query_params")
        let needsHeaders = self.arguments.contains("headers")
        let needsType = payload == .urlencoded || payload == .multipart
        guard needsQuery || needsHeaders || needsType else { return nil }
        var meta = ByteBuffer()
        meta.reserveCapacity(512)
        var separator: StaticString = "{"
        if needsQuery {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"query\":")
            meta.writeJSON(request.query)
            separator = ","
        }
        if needsType, let contentType {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"content_type\":")
            meta.writeJSON(contentType)
            separator = ","
        }
        if needsHeaders {
            meta.writeStaticString(separator)
            meta.writeStaticString("\"headers\":")
            var pair: StaticString = "[["
            for (name, value) in request.headers {
                meta.writeStaticString(pair)
                meta.writeJSON(name.lowercased())
                meta.writeStaticString(",")
                meta.writeJSON(Self.latin1(value))
                pair = "],["
            }
            meta.writeStaticString(request.headers.isEmpty ? "[]" : "]]")
        }
        meta.writeStaticString("}")
        return meta
    }
}

extension PredictRequest.Payload {
    /// By the media type alone, in any case and with any parameters; what is none of the three is bytes.
    init(contentType: String?) {
        guard let contentType else {
            self = .bytes
            return
        }
        let media = contentType.prefix { $0 != ";" }.drop { $0 == " " || $0 == "\t" }
        let end = media.lastIndex { $0 != " " && $0 != "\t" }
        self =
            switch end.map({ media[...$0].lowercased() }) {
            case "application/json": .json
            case "application/x-www-form-urlencoded": .urlencoded
            case "multipart/form-data": .multipart
            default: .bytes
            }
    }
}
