import CortexSpec
import CortexTelemetry
import NIOCore

/// An answer that is an error: what the client did, or what the gateway could not do.
enum GatewayError: Error {
    case malformed(String)
    case noSuchPath(path: String, nearest: String?)
    /// A predictor has called an API by its name.
    case noSuchName(String)
    case chainLoop(APIName, hops: Int)
    case methodNotAllowed(allowed: String)
    case unauthorized(APIName)
    case keysUnreadable(APIName)
    case bodyTooSlow(within: TimeAmount)
    /// - Parameter rate: Bytes a second.
    case bodyBelowRate(rate: Int, window: TimeAmount)
    case headTooSlow(within: TimeAmount)
    case bodyTooLarge(BodyLimit)
    case urlTooLong(limit: Int)
    case headersTooLarge(HeaderLimit)
    case expectationFailed(String)
    case unsupportedEncoding(String)
    case unsupportedTransferCoding(String)
    /// The body is not what its `content-encoding` says.
    case malformedEncoding(String)
    case tooManyConnections(limit: Int)
    /// As many files and connections are open as the system allows, less those that are kept for workers.
    case tooFewDescriptors(limit: Int)
    case spoolFull
    case spoolBroken
    case draining
    /// The server ended before the request was answered.
    case cutOff
    case starting
    case upstream(APIName, UpstreamFailure)
}

extension GatewayError {
    /// The flat JSON of every error, and the status and headers that go with it.
    struct Response {
        var status: Int
        var code: String
        var message: String
        var hint: String?
        var detail: String?
        var headers: [(name: String, value: String)] = []
        /// Why it was refused without being tried: the label of a metric; nil where it was tried.
        var shedReason: String?
    }

    var response: Response {
        switch self {
        case .malformed(let reason):
            Response(status: 400, code: "MALFORMED_REQUEST", message: reason)
        case .noSuchPath(let path, let nearest):
            Response(
                status: 404,
                code: "NO_SUCH_API",
                message: "no API answers at \(path)",
                hint: nearest.map { "did you mean \($0)?" } ?? "GET / lists the APIs"
            )
        case .noSuchName(let name):
            Response(
                status: 404,
                code: "NO_SUCH_API",
                message: "no API is named \(name)",
                hint: "GET / lists the APIs"
            )
        case .chainLoop(let api, let hops):
            Response(
                status: 508,
                code: "CHAIN_LOOP",
                message: "\(api) is called as number \(hops) of a chain of APIs, and \(ChainHops.limit) are allowed",
                hint: "they seem to call each other in a circle; the access log has all calls under one request_id",
                shedReason: "chain_loop"
            )
        case .methodNotAllowed(let allowed):
            Response(
                status: 405,
                code: "METHOD_NOT_ALLOWED",
                message: "this path answers \(allowed) only",
                headers: [("Allow", allowed)]
            )
        case .unauthorized(let api):
            Response(
                status: 401,
                code: "UNAUTHORIZED",
                message: "\(api) needs a key, and the request has none that it knows",
                hint: "send one of its networking.api_keys, once, as Authorization: Bearer KEY or as X-API-Key: KEY",
                headers: [("WWW-Authenticate", "Bearer")]
            )
        case .keysUnreadable(let api):
            Response(
                status: 503,
                code: "NOT_READY",
                message: "the keys of \(api) cannot be read, so nobody is let in",
                hint: "`cortex logs \(api)` shows why",
                headers: [("Retry-After", "5")],
                shedReason: "not_ready"
            )
        case .bodyTooSlow(let time):
            Response(
                status: 408,
                code: "BODY_TIMEOUT",
                message: "nothing more of the body came within \(Duration(time).goText)",
                hint: "CORTEX_BODY_TIMEOUT sets the time between two pieces"
            )
        case .bodyBelowRate(let rate, let window):
            Response(
                status: 408,
                code: "BODY_TIMEOUT",
                message: "the body came in at less than \(rate) bytes a second over \(Duration(window).goText)",
                hint: "CORTEX_MIN_UPLOAD_RATE and CORTEX_RATE_WINDOW set the bound"
            )
        case .headTooSlow(let time):
            Response(
                status: 408,
                code: "HEADER_TIMEOUT",
                message: "the rest of the headers did not come within \(Duration(time).goText)",
                hint: "CORTEX_HEADER_TIMEOUT sets the time"
            )
        case .bodyTooLarge(let limit):
            Response(
                status: 413,
                code: "BODY_TOO_LARGE",
                message: "the body is larger than the \(limit.bytes) bytes that "
                    + (limit.api.map { "networking.max_body_size of \($0)" } ?? "CORTEX_MAX_BODY_SIZE") + " allows"
            )
        case .urlTooLong(let limit):
            Response(
                status: 414,
                code: "URI_TOO_LONG",
                message: "the path and query are longer than the \(limit) bytes that CORTEX_MAX_URL_LENGTH allows"
            )
        case .headersTooLarge(let limit): Self.response(to: limit)
        case .expectationFailed(let expectation):
            Response(
                status: 417,
                code: "EXPECTATION_FAILED",
                message: "Expect is \"\(expectation)\"; 100-continue is all that is known"
            )
        case .unsupportedEncoding(let encoding):
            Response(
                status: 415,
                code: "UNSUPPORTED_ENCODING",
                message: "bodies with content-encoding \(encoding) are not read",
                hint: "send them as they are, or as \(ContentCoding.accepted)",
                headers: [("Accept-Encoding", ContentCoding.accepted)]
            )
        case .unsupportedTransferCoding(let coding):
            Response(
                status: 501,
                code: "NOT_IMPLEMENTED",
                message: "transfer-encoding \(coding) is not undone; chunked is all that is known",
                hint: "send the body with content-encoding \(ContentCoding.accepted) instead"
            )
        case .malformedEncoding(let reason):
            Response(status: 400, code: "MALFORMED_ENCODING", message: reason)
        case .tooManyConnections(let limit):
            Response(
                status: 503,
                code: "TOO_MANY_CONNECTIONS",
                message: "there are as many connections as the \(limit) that CORTEX_MAX_CONNECTIONS allows",
                headers: [("Retry-After", "1")]
            )
        case .tooFewDescriptors(let limit):
            Response(
                status: 503,
                code: "TOO_MANY_CONNECTIONS",
                message: "nearly all of the \(limit) files and connections that the server may have open are in use",
                hint: "more are allowed by a higher `ulimit -n`, or LimitNOFILE, for the server",
                headers: [("Retry-After", "1")]
            )
        case .spoolFull:
            Response(
                status: 503,
                code: "SPOOL_FULL",
                message: "the disk space that CORTEX_SPOOL_BUDGET allows for large bodies and answers is in use",
                headers: [("Retry-After", "1")],
                shedReason: "spool_full"
            )
        case .spoolBroken:
            Response(status: 507, code: "SPOOL_FAILED", message: "the body could not be kept: the disk may be full")
        case .draining:
            Response(
                status: 503,
                code: "DRAINING",
                message: "the server is shutting down",
                headers: [("Retry-After", "1")],
                shedReason: "draining"
            )
        case .cutOff:
            Response(
                status: 503,
                code: "DRAINING",
                message: "the server is shutting down, and does not wait for this request any longer",
                hint: "it may have run, or half of it",
                headers: [("Retry-After", "1")]
            )
        case .starting:
            Response(
                status: 503,
                code: "NOT_READY",
                message: "the server is starting",
                headers: [("Retry-After", "1")]
            )
        case .upstream(let api, let failure): Self.response(of: api, failure)
        }
    }

    private static func response(to limit: HeaderLimit) -> Response {
        let message =
            switch limit {
            case .count(let most): "there are more headers than the \(most) that CORTEX_MAX_HEADERS allows"
            case .size(let most):
                "the name or value of a header is longer than the \(most) bytes that CORTEX_MAX_HEADER_SIZE allows"
            case .head(let most):
                "path and headers together are longer than the \(most) bytes that CORTEX_MAX_HEAD_SIZE allows"
            }
        return Response(status: 431, code: "HEADERS_TOO_LARGE", message: message)
    }

    private static func response(of api: APIName, _ failure: UpstreamFailure) -> Response {
        switch failure {
        case .queueFull(let depth, let limit, let retryAfter):
            Response(
                status: 503,
                code: "QUEUE_FULL",
                message: "\(api) is full: \(depth) requests are queued or running, and \(limit) may be",
                hint:
                    "try again in \(retryAfter) s; autoscaling.max_replica_concurrency, which is \(limit), sets the bound",
                detail:
                    "{\"reason\": \"queue_full\", \"depth\": \(depth), \"limit\": \(limit), \"retry_after\": \(retryAfter)}",
                headers: [("Retry-After", "\(retryAfter)")],
                shedReason: "queue_full"
            )
        case .notReady(let reason, let retryAfter):
            Response(
                status: 503,
                code: "NOT_READY",
                message: "\(api) cannot answer: \(reason)",
                headers: [("Retry-After", "\(retryAfter)")],
                shedReason: "not_ready"
            )
        case .draining:
            Response(
                status: 503,
                code: "DRAINING",
                message: "this version of \(api) is shutting down",
                headers: [("Retry-After", "1")],
                shedReason: "draining"
            )
        case .deadlineExceeded(let started):
            Response(
                status: 504,
                code: "DEADLINE_EXCEEDED",
                message: started
                    ? "\(api) did not answer in time" : "the time ran out before \(api) came to this request",
                hint:
                    "networking.timeout of \(api) and the client's X-Request-Timeout set the time; the shorter one counts",
                shedReason: started ? nil : "deadline"
            )
        case .crashed(let worker):
            Response(
                status: 502,
                code: "WORKER_CRASHED",
                message: "worker \(worker) of \(api) ended while it ran this request",
                hint: "`cortex logs \(api)` shows its last lines"
            )
        case .refused(let error):
            Response(
                status: error.status,
                code: error.code,
                message: error.message,
                hint: error.hint,
                detail: error.detail,
                headers: error.headers
            )
        }
    }
}

extension GatewayError.Response {
    /// The JSON: `{"error": "…", "code": "…", "request_id": "…", "hint": "…"}`.
    func body(requestID: String, allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: 256)
        buffer.writeStaticString("{\"error\": ")
        buffer.writeJSON(self.message)
        buffer.writeStaticString(", \"code\": ")
        buffer.writeJSON(self.code)
        buffer.writeStaticString(", \"request_id\": ")
        buffer.writeJSON(requestID)
        if let hint = self.hint {
            buffer.writeStaticString(", \"hint\": ")
            buffer.writeJSON(hint)
        }
        if let detail = self.detail {
            buffer.writeStaticString(", \"detail\": ")
            buffer.writeString(detail)
        }
        buffer.writeStaticString("}")
        return buffer
    }
}
