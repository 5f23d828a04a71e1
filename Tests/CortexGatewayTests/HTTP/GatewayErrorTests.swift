import CortexSpec
import Foundation
import NIOCore
import Testing

@testable import CortexGateway

@Suite struct GatewayErrorTests {
    private static let api = APIName("iris").map { [$0] } ?? []

    private static let table: [(GatewayError, Int, String)] =
        [
            (.malformed("why"), 400, "MALFORMED_REQUEST"),
            (.noSuchPath(path: "/x", nearest: nil), 404, "NO_SUCH_API"),
            (.methodNotAllowed(allowed: "GET, POST"), 405, "METHOD_NOT_ALLOWED"),
            (.bodyTooSlow(within: .seconds(60)), 408, "BODY_TIMEOUT"),
            (.bodyBelowRate(rate: 1024, window: .seconds(30)), 408, "BODY_TIMEOUT"),
            (.headTooSlow(within: .seconds(20)), 408, "HEADER_TIMEOUT"),
            (.bodyTooLarge(BodyLimit(bytes: 5)), 413, "BODY_TOO_LARGE"),
            (.urlTooLong(limit: 5), 414, "URI_TOO_LONG"),
            (.headersTooLarge(.count(5)), 431, "HEADERS_TOO_LARGE"),
            (.headersTooLarge(.size(5)), 431, "HEADERS_TOO_LARGE"),
            (.headersTooLarge(.head(5)), 431, "HEADERS_TOO_LARGE"),
            (.expectationFailed("a"), 417, "EXPECTATION_FAILED"),
            (.malformedEncoding("why"), 400, "MALFORMED_ENCODING"),
            (.tooManyConnections(limit: 5), 503, "TOO_MANY_CONNECTIONS"),
            (.unsupportedEncoding("br"), 415, "UNSUPPORTED_ENCODING"),
            (.spoolFull, 503, "SPOOL_FULL"),
            (.spoolBroken, 507, "SPOOL_FAILED"),
            (.draining, 503, "DRAINING"),
            (.starting, 503, "NOT_READY"),
        ]
        + Self.api.flatMap { api in
            [
                (.upstream(api, .queueFull(depth: 3, limit: 3, retryAfter: 4)), 503, "QUEUE_FULL"),
                (.upstream(api, .notReady(reason: "why", retryAfter: 2)), 503, "NOT_READY"),
                (.upstream(api, .draining), 503, "DRAINING"),
                (.upstream(api, .deadlineExceeded(started: true)), 504, "DEADLINE_EXCEEDED"),
                (.upstream(api, .deadlineExceeded(started: false)), 504, "DEADLINE_EXCEEDED"),
                (.upstream(api, .crashed(worker: "w")), 502, "WORKER_CRASHED"),
                (.upstream(api, .refused(UpstreamError(status: 418, code: "X", message: "m"))), 418, "X"),
            ]
        }

    private func json(_ response: GatewayError.Response) throws -> [String: Any] {
        let body = response.body(requestID: "r-1", allocator: ByteBufferAllocator())
        return try #require(try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any])
    }

    @Test(arguments: Self.table.indices)
    func `every error has its status and flat JSON with a sentence`(row: Int) throws {
        let (error, status, code) = Self.table[row]
        let response = error.response
        #expect(response.status == status)
        let body = try self.json(response)
        #expect(body["code"] as? String == code)
        #expect((body["error"] as? String)?.isEmpty == false)
        #expect(body["request_id"] as? String == "r-1")
        #expect(Set(body.keys).isSubset(of: ["error", "code", "request_id", "hint", "detail"]))
        if status == 503 { #expect(response.headers.contains { $0.name == "Retry-After" && Int($0.value) ?? 0 >= 1 }) }
    }

    @Test func `the table knows an API`() { #expect(Self.api.count == 1) }

    @Test func `a wrong method is told the right ones`() {
        let response = GatewayError.methodNotAllowed(allowed: "GET, POST").response
        #expect(response.headers.contains { $0.name == "Allow" && $0.value == "GET, POST" })
    }

    @Test func `texts from outside stay inside their strings`() throws {
        let hostile = "/a\",\"code\":\"OK\"}\r\n\u{0}"
        let body = try self.json(GatewayError.noSuchPath(path: hostile, nearest: "/iris").response)
        #expect((body["error"] as? String)?.contains(hostile) == true)
        #expect(body["code"] as? String == "NO_SUCH_API")
        #expect((body["hint"] as? String)?.contains("/iris") == true)
    }

    @Test func `an error of the predictor's keeps its detail and headers`() throws {
        let api = try #require(Self.api.first)
        let error = UpstreamError(
            status: 422,
            code: "HTTP_EXCEPTION",
            message: "bad",
            hint: "better",
            detail: #"[{"loc": 1}]"#,
            headers: [("x-pot", "tea")]
        )
        let response = GatewayError.upstream(api, .refused(error)).response
        let body = try self.json(response)
        #expect((body["detail"] as? [[String: Int]]) == [["loc": 1]])
        #expect(body["hint"] as? String == "better")
        #expect(response.headers.map(\.name) == ["x-pot"])
    }

    @Test(
        arguments: [
            (.queueFull(depth: 1, limit: 1, retryAfter: 1), false), (.notReady(reason: "", retryAfter: 1), false),
            (.draining, false),
            (.deadlineExceeded(started: false), false), (.deadlineExceeded(started: true), true),
            (.crashed(worker: "w"), true),
            (.refused(UpstreamError(status: 500, code: "X", message: "m")), true),
        ] as [(UpstreamFailure, Bool)]
    )
    func `only what was not started may be tried elsewhere`(failure: UpstreamFailure, wasStarted: Bool) {
        #expect(failure.wasStarted == wasStarted)
    }
}
