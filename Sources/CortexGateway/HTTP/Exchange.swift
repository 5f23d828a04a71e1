import CortexSpec
import CortexTelemetry
import NIOCore
import NIOHTTP1

/// One request and its answer, as far as they have come.
///
/// A class, since the state of its connection changes several times a request: a struct of this size would be copied, and all
/// that it refers to counted, each time.
final class Exchange {
    let number: UInt64
    let id: String
    let head: HTTPRequestHead
    let known: KnownHeaders
    /// Of the request's target, without query.
    let path: Substring
    /// What stands behind `?`; empty where there is none.
    let query: Substring
    let arrival: NIODeadline
    /// Whether the connection may serve another request after this one.
    var keepAlive: Bool
    var target: RouteTable.Target
    /// The splitter that its client named; nil where that named an API.
    ///
    /// `target` is then one that the splitter leads to.
    private(set) var splitter: Route?
    /// How often the route table had been replaced when `target` was found in it.
    var routeChanges = 0
    var body: BodyCollector
    /// The client sends its body only when told to.
    var awaitsContinue = false
    /// Its upstream was asked whether there is room.
    var wasProbed = false
    /// When the client's time for a prediction is up; never later than `apiDeadline`.
    var deadline = NIODeadline.distantFuture
    /// When the time is up that the API gives to a request: what `networking.timeout` was when the request came.
    var apiDeadline = NIODeadline.distantFuture
    /// How many APIs of a chain it has passed.
    var hops = 0
    var bytesOut = 0
    /// Of a large answer, while it is in memory.
    var memory: AnswerMemory?
    /// `bytesOut` when the reader of a streamed answer was last looked at; nil where there is no reason to.
    var watchedBytes: Int?
    /// Of an answer that is sent by the piece: one is on its way, and the next one waits for its last byte.
    var isPieceLeaving = false
    /// Of a streamed answer, once it has begun.
    var streamStatus = 0
    /// Decided from the head alone; sent once the body has been read past.
    var early: GatewayError?
    /// The answer goes ahead of the body, which is read past.
    var skipsBody = false
    /// Came over HTTP/2.
    var isOnStream = false
    /// A gateway asks for a client of its own, and hears more than others: see `ReplicaProtocol`.
    var isFromGateway = false
    /// Bytes that are left of a streamed answer whose length was told; nil where it was not.
    var streamLength: Int?

    init(
        number: UInt64,
        id: String,
        head: HTTPRequestHead,
        known: KnownHeaders,
        arrival: NIODeadline,
        keepAlive: Bool,
        body: BodyCollector
    ) {
        self.number = number
        self.id = id
        self.head = head
        self.known = known
        (self.path, self.query) = Self.split(head.uri)
        self.arrival = arrival
        self.keepAlive = keepAlive
        self.target = .nothing
        self.body = body
    }

    func first(_ field: KnownHeaders.Field) -> String? { self.head.headers.first(field) }

    /// Whether it belongs to a trace that may be passed on: the standard has one header of that name, and a form for it.
    var isTraced: Bool { self.known.traceParent.count == 1 && self.traceID != nil }

    private var traceID: String? { self.first(self.known.traceParent).flatMap { TraceParent.traceID(of: $0) } }

    var isHTTP10: Bool { self.head.version == .http1_0 }
    var isHead: Bool { self.head.method == .HEAD }

    var route: Route? {
        guard case .api(let route) = self.target else { return nil }
        return route
    }

    /// What its client named: whose keys and CORS policy hold for it.
    var entrance: Route? { self.splitter ?? self.route }

    /// Makes a request to a splitter one to the API whose turn it is; false where it is none.
    func beLed(by routes: RouteTable) -> Bool {
        guard let splitter = self.route, let split = splitter.split else { return false }
        guard let target = split.takeTurn().flatMap({ routes.route(of: $0) }) else { return false }
        self.splitter = splitter
        self.target = .api(target)
        return true
    }

    /// The headers as the client gave them, and as they would be, had the body not come encoded.
    var decodedHeaders: HTTPHeaders {
        guard self.body.wasEncoded || self.isOnStream else { return self.head.headers }
        var headers = self.head.headers
        // HTTP/2 has none: what stands there is what a body without length is to HTTP/1.1.
        if self.isOnStream { headers.remove(name: "transfer-encoding") }
        guard self.body.wasEncoded else { return headers }
        headers.remove(name: "content-encoding")
        if headers.contains(name: "content-length") {
            headers.replaceOrAdd(name: "content-length", value: "\(self.body.size)")
        }
        return headers
    }

    /// Notes by when the request has to be answered; to be called once its head is known.
    func setDeadline() throws(GatewayError) {
        guard let route = self.route else { return }
        let limit = TimeAmount(route.timeout)
        guard self.head.method == .POST else {
            // What is no time is told so, though nothing is predicted.
            _ = try RequestTimeout.wanted(by: self.known.requestTimeout, of: self.head.headers, limit: limit)
            return
        }
        self.apiDeadline = self.arrival + limit
        self.deadline = self.apiDeadline
        if let wanted = try RequestTimeout.wanted(by: self.known.requestTimeout, of: self.head.headers, limit: limit) {
            self.deadline = self.arrival + wanted
        }
    }

    /// Which limit set the deadline, and how long it is.
    func deadlineHint(_ api: APIName) -> String {
        let time = Duration(self.deadline - self.arrival).goText
        return self.deadline < self.apiDeadline
            ? "the client's X-Request-Timeout allowed \(time); networking.timeout of \(api) allows more"
            : "networking.timeout of \(api) allows \(time)"
    }

    /// Path and query of the request's target; the authority of an absolute one is dropped.
    static func split(_ uri: String) -> (path: Substring, query: Substring) {
        var rest = uri[...]
        if rest.utf8.first != UInt8(ascii: "/"), let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://") {
            rest = rest[colon...].dropFirst(3).drop { $0 != "/" && $0 != "?" }
        }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (rest, "") }
        return (rest[..<mark], rest[rest.utf8.index(after: mark)...])
    }

    func record(
        status: Int,
        client: String,
        timing: UpstreamTiming,
        errorCode: String?,
        now: NIODeadline
    ) -> AccessRecord {
        AccessRecord(
            requestID: self.id,
            traceID: self.traceID,
            api: self.route?.api.description,
            splitter: self.splitter?.api.description,
            version: timing.version ?? self.route?.version,
            method: self.head.method.rawValue,
            path: String(self.path),
            status: status,
            bytesIn: self.body.received,
            bytesOut: self.bytesOut,
            queue: timing.queue,
            predict: timing.predict,
            total: now - self.arrival,
            // Each call is for one request.
            batchSize: timing.predict.map { _ in 1 },
            worker: timing.worker,
            client: client,
            errorCode: errorCode
        )
    }
}
