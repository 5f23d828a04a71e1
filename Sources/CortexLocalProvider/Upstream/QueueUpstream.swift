import CortexGateway
import CortexServing
import CortexTelemetry
import NIOCore
import NIOHTTP1

/// The gateway's upstream on this machine: the admission queue of one version of an API.
///
/// It turns what HTTP brought into what a worker needs, and no more than that: query and headers travel only where the
/// predictor names them.
final class QueueUpstream: Upstream {
    private let queue: AdmissionQueue
    private let takesPayload: Bool
    private let takesQuery: Bool
    private let takesHeaders: Bool
    private let log: APILog
    private let version: Int
    private let health: @Sendable () async -> ReplicaHealth?

    /// - Parameters:
    ///   - arguments: Which of `payload`, `query_params`, `headers`, `context` the predictor takes.
    ///   - health: What keeps the workers from answering, where they know better than the queue.
    init(
        queue: AdmissionQueue,
        arguments: Set<String>,
        log: APILog,
        version: Int,
        health: @escaping @Sendable () async -> ReplicaHealth?
    ) {
        self.queue = queue
        self.takesPayload = arguments.contains("payload")
        self.takesQuery = arguments.contains("query_params")
        self.takesHeaders = arguments.contains("headers")
        self.log = log
        self.version = version
        self.health = health
    }

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
        let contentType = request.contentType
        let payload = self.takesPayload ? PredictRequest.Payload(contentType: contentType) : .none
        let body: PredictRequest.Body =
            switch request.body {
            case _ where payload == .none: .inline(ByteBuffer())
            case .bytes(let bytes): .inline(bytes)
            case .pieces(let pieces): .pieces(pieces)
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
            hops: request.hops
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
        let needsQuery = self.takesQuery
        let needsHeaders = self.takesHeaders
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
        guard var contentType else {
            self = .bytes
            return
        }
        self = contentType.withUTF8 { utf8 in
            let media = utf8.prefix { $0 != UInt8(ascii: ";") }.drop(while: Self.isBlank)
            let end = media.lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? media.startIndex
            return Self(mediaType: media[..<end])
        }
    }

    private init(mediaType: Slice<UnsafeBufferPointer<UInt8>>) {
        if Self.equal(mediaType, "application/json") {
            self = .json
        } else if Self.equal(mediaType, "application/x-www-form-urlencoded") {
            self = .urlencoded
        } else if Self.equal(mediaType, "multipart/form-data") {
            self = .multipart
        } else {
            self = .bytes
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// - Parameter name: In lower case.
    private static func equal(_ text: Slice<UnsafeBufferPointer<UInt8>>, _ name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { name in
            zip(text, name).allSatisfy { (0x41...0x5A).contains($0) ? $0 | 0x20 == $1 : $0 == $1 }
        }
    }
}
