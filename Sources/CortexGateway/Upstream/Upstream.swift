package import NIOCore
package import NIOHTTP1

/// Where the requests of an API go: the admission queue of this process, or pods across the network.
///
/// Every method may be called on any event loop and returns without waiting.
package protocol Upstream: Sendable {
    /// Says, without taking a place, whether a request would be taken over now: `room` or `noRoom`.
    ///
    /// For requests whose body is large or not sent yet; whatever is said, `send` decides anew.
    func probe(_ responder: UpstreamResponder)

    /// Takes a request over; all that becomes of it goes to `responder`.
    func send(_ request: UpstreamRequest, to responder: UpstreamResponder)

    /// Nobody waits for this request any more; nothing more of it is to be sent to its responder.
    func cancel(_ number: UInt64)

    /// Holds back (or lets go on) a streamed answer, whose reader is slower than its source.
    func setFlow(of number: UInt64, isOpen: Bool)

    /// Whether a request could be answered now; a sentence says why not.
    func readiness() async -> UpstreamReadiness
}

package enum UpstreamReadiness: Hashable, Sendable {
    case ready
    /// - Parameter retryAfter: When it may be able at the earliest; nil where that is not known.
    case notReady(reason: String, retryAfter: Duration? = nil)

    package var isReady: Bool { self == .ready }
}

/// A request as it came in, whole.
///
/// A class, since it goes through many hands and none of them changes it: what it refers to is not counted with each.
package final class UpstreamRequest: Sendable {
    /// Unique within this server process.
    package let number: UInt64
    /// What clients and logs call it: 1 to 128 of `A-Za-z0-9._-`.
    package let id: String
    package let headers: HTTPHeaders
    /// As it stands in `headers`.
    package let contentType: String?
    /// What stands behind `?`, as it came; empty where there is none.
    package let query: String
    package let body: UpstreamBody
    /// When its client's time is up, on the monotonic clock.
    package let deadline: NIODeadline
    /// When the time is up that its API gives to a request: not before `deadline`.
    package let apiDeadline: NIODeadline
    /// How many APIs of a chain it has passed; 0 for one from outside.
    package let hops: UInt16
    /// Whether `headers` have a well-formed `traceparent`.
    package let isTraced: Bool
    /// Whether its sender is to hear that it is started.
    package let tellsStart: Bool

    package init(
        number: UInt64,
        id: String,
        headers: HTTPHeaders,
        contentType: String?,
        query: String,
        body: UpstreamBody,
        deadline: NIODeadline,
        apiDeadline: NIODeadline,
        hops: UInt16,
        isTraced: Bool,
        tellsStart: Bool = false
    ) {
        self.number = number
        self.id = id
        self.headers = headers
        self.contentType = contentType
        self.query = query
        self.body = body
        self.deadline = deadline
        self.apiDeadline = apiDeadline
        self.hops = hops
        self.isTraced = isTraced
        self.tellsStart = tellsStart
    }
}

package enum UpstreamBody: Hashable, Sendable {
    case bytes(ByteBuffer)
    /// One after another: a large one, in the memory that it was read into.
    case pieces([ByteBuffer])
    /// In a file, which goes away when the request has been answered.
    case spooled(path: String, size: Int)

    package var size: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .pieces(let pieces): pieces.reduce(0) { $0 + $1.readableBytes }
        case .spooled(_, let size): size
        }
    }
}

/// What comes back: one `answer`; or `head`, `chunk`s, `end`; or one `failed`.
package enum UpstreamEvent: Sendable {
    case answer(UpstreamAnswer, UpstreamAnswerBody, UpstreamTiming)
    case head(UpstreamAnswer, UpstreamTiming)
    /// A worker gets it now; told only of requests that ask for it, before all else and perhaps more than once.
    case started
    case chunk(ByteBuffer)
    case end(isWhole: Bool, UpstreamTiming)
    case failed(UpstreamFailure, UpstreamTiming)
    /// The answers to a probe.
    case room
    case noRoom(UpstreamFailure)
}

package struct UpstreamAnswer: Sendable {
    package var status: Int
    /// `content-type`, where it is not among the headers.
    package var mediaType: String?
    package var headers: [(name: String, value: String)]
    /// Bytes of a body that comes in pieces, where that is known before.
    package var length: Int?
    /// What went wrong, where it is an error in the words of whoever is further in.
    package var errorCode: String?

    package init(status: Int, mediaType: String?, headers: [(name: String, value: String)]) {
        self.status = status
        self.mediaType = mediaType
        self.headers = headers
    }
}

package enum UpstreamAnswerBody: Sendable {
    /// - Parameter tail: What follows, of a large one: in the memory that it was read into.
    case bytes(ByteBuffer, tail: [ByteBuffer] = [])
    /// A file to send from its beginning; `owner` keeps its descriptor open.
    case file(descriptor: CInt, size: Int, owner: any Sendable)
}

package struct UpstreamTiming: Hashable, Sendable {
    package var queue: TimeAmount?
    package var predict: TimeAmount?
    package var worker: String?
    /// The version of the API that the worker is of.
    package var version: Int?

    package init(
        queue: TimeAmount? = nil,
        predict: TimeAmount? = nil,
        worker: String? = nil,
        version: Int? = nil
    ) {
        self.queue = queue
        self.predict = predict
        self.worker = worker
        self.version = version
    }
}

/// Why the upstream has no answer.
///
/// Only what was *not started* may be tried elsewhere.
package enum UpstreamFailure: Sendable {
    /// `depth` requests are there, and will be gone in `retryAfter` seconds.
    case queueFull(depth: Int, limit: Int, retryAfter: Int)
    /// - Parameter retryAfter: Seconds until it may be.
    case notReady(reason: String, retryAfter: Int)
    case draining
    case deadlineExceeded(started: Bool)
    case crashed(worker: String)
    /// An error in the words of the predictor's worker.
    case refused(UpstreamError)

    package var wasStarted: Bool {
        switch self {
        case .queueFull, .notReady, .draining, .deadlineExceeded(started: false): false
        case .deadlineExceeded(started: true), .crashed, .refused: true
        }
    }
}

package struct UpstreamError: Sendable {
    package var status: Int
    package var code: String
    package var message: String
    package var hint: String?
    /// JSON text that goes into the answer as `detail`.
    package var detail: String?
    package var headers: [(name: String, value: String)]

    package init(
        status: Int,
        code: String,
        message: String,
        hint: String? = nil,
        detail: String? = nil,
        headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.headers = headers
    }
}

/// The way back to the client that sent a request.
package struct UpstreamResponder: Sendable {
    private enum Receiver: Sendable {
        case client(NIOLoopBound<ConnectionHandler>, number: UInt64)
        /// Nobody: what becomes of it is counted.
        case shadow(NIOLoopBound<ShadowCopy>)
    }

    private let receiver: Receiver
    private let eventLoop: any EventLoop

    init(_ connection: ConnectionHandler, number: UInt64, on eventLoop: any EventLoop) {
        self.receiver = .client(NIOLoopBound(connection, eventLoop: eventLoop), number: number)
        self.eventLoop = eventLoop
    }

    init(_ copy: ShadowCopy, on eventLoop: any EventLoop) {
        self.receiver = .shadow(NIOLoopBound(copy, eventLoop: eventLoop))
        self.eventLoop = eventLoop
    }

    /// May be called on any event loop; on the connection's own there is no hop.
    package func receive(_ event: UpstreamEvent) {
        if self.eventLoop.inEventLoop {
            self.deliver(event)
        } else {
            self.eventLoop.execute { self.deliver(event) }
        }
    }

    private func deliver(_ event: UpstreamEvent) {
        switch self.receiver {
        case .client(let connection, let number): connection.value.receive(event, of: number)
        case .shadow(let copy): copy.value.receive(event)
        }
    }
}
