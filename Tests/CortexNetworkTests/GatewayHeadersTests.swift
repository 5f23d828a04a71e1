import NIOCore
import NIOHTTP1
import Testing

@testable import CortexGateway
@testable import CortexNetwork

@Suite struct GatewayHeadersTests {
    @Test func `a request is passed on without what is between two neighbours`() {
        let now = NIODeadline.now()
        let request = UpstreamRequest(
            number: 1,
            id: "of-a-test",
            headers: [
                "Host": "iris.example", "X-Mine": "1", "Connection": "close, X-Next", "X-Next": "1", "TE": "trailers",
                "Content-Length": "99", "Transfer-Encoding": "chunked", "Expect": "100-continue",
                "X-Request-ID": "other",
                "X-Request-Timeout": "1h", "X-Cortex-Gateway": "no", "X-Cortex-Hops": "2", "x-cortex-error": "no",
            ],
            contentType: nil,
            query: "a=1&b=2",
            body: .bytes(ByteBuffer(string: "body")),
            deadline: now + .milliseconds(1500),
            apiDeadline: now + .seconds(60),
            hops: 2,
            isTraced: false
        )
        let head = String(buffer: GatewayHeaders.head(of: request, host: "api-iris", now: now))
        #expect(
            head == """
                POST /predict?a=1&b=2 HTTP/1.1\r
                Host: api-iris\r
                X-Cortex-Gateway: 1\r
                X-Request-ID: of-a-test\r
                X-Request-Timeout: 1500000000ns\r
                Content-Length: 4\r
                X-Mine: 1\r
                X-Cortex-Hops: 2\r
                \r

                """
        )
    }

    @Test func `what would end a line does not come into a request`() {
        let now = NIODeadline.now()
        let request = UpstreamRequest(
            number: 1,
            id: "1",
            headers: [
                "x-one": "a\r\nX-Cortex-Hops: 9", "x-two": "a\nb", "x-three\r\nhost": "a", "x-four": "a\u{0}b",
                "x-five": "tab\tand é",
            ],
            contentType: nil,
            query: "a=1 HTTP/1.1\r\nX: y\u{7F}é",
            body: .bytes(ByteBuffer()),
            deadline: now + .seconds(1),
            apiDeadline: now + .seconds(1),
            hops: 0,
            isTraced: false
        )
        let head = String(buffer: GatewayHeaders.head(of: request, host: "api-iris", now: now))
        #expect(head.hasPrefix("POST /predict?a=1%20HTTP/1.1%0D%0AX:%20y%7Fé HTTP/1.1\r\nHost: api-iris\r\n"))
        #expect(head.hasSuffix("\r\nContent-Length: 0\r\nx-five: tab\tand é\r\n\r\n"))
    }

    @Test func `an answer is passed on without what is between two neighbours`() {
        let headers: HTTPHeaders = [
            "Content-Length": "4", "Date": "today", "X-Request-ID": "1", "Connection": "close",
            "Content-Type": "text/plain",
            "X-Cortex-Worker": "pod/iris-1-0-0", "X-Cortex-Version": "3", "Server-Timing": "mine;dur=1",
            "Set-Cookie": "a=1", "set-cookie": "b=2", "server-timing": "queue;dur=0.1, predict;dur=1.25, total;dur=2",
        ]
        let found = AnswerHeaders(headers)
        let passed = found.passed.map { "\($0.name): \($0.value)" }
        #expect(
            passed == ["Content-Type: text/plain", "Server-Timing: mine;dur=1", "Set-Cookie: a=1", "set-cookie: b=2"]
        )
        #expect(found.length == 4)
        #expect(found.predict == .microseconds(1250))
        #expect(found.worker == "pod/iris-1-0-0")
        #expect(found.version == 3)
        #expect(found.error == nil && !found.isNotStarted)
    }

    @Test func `an error says what it is, and whether it may be tried elsewhere`() {
        let headers: HTTPHeaders = [
            "x-cortex-error": "QUEUE_FULL", "X-Cortex-Not-Started": "1", "Retry-After": "7", "X-Cortex-Else": "9",
        ]
        let found = AnswerHeaders(headers)
        #expect(found.error == "QUEUE_FULL")
        #expect(found.isNotStarted)
        #expect(found.retryAfter == 7)
        #expect(found.passed.map(\.name) == ["Retry-After"])
        #expect(found.length == nil && found.predict == nil && found.worker == nil && found.version == nil)
    }

    @Test(arguments: [
        ("predict;dur=1.25", 1_250_000), ("queue;dur=9, predict;dur=12, total;dur=7", 12_000_000),
        ("predict;dur=0.0000019", 1), ("predictor;dur=2,predict;dur=3", 3_000_000),
    ])
    func `a time is read in nanoseconds`(text: String, nanoseconds: Int64) {
        #expect(AnswerHeaders.duration(of: "predict", in: text) == .nanoseconds(nanoseconds))
    }

    @Test(arguments: [
        "predict;dur=x", "predict;dur=-1", "predict;dur=1e300", "predict;dur=nan", "predict;dur=.", "predict;dur=",
        "predict;dur=1.2.3", "predict;dur=1234567890123", "total;dur=1", "",
    ])
    func `what is no time is none`(text: String) {
        #expect(AnswerHeaders.duration(of: "predict", in: text) == nil)
    }

    @Test func `names are known in either case, and no others`() {
        let names = HeaderNames(["te", "keep-alive", "connection"])
        for name in ["TE", "te", "Keep-Alive", "CONNECTION"] { #expect(names.contains(name)) }
        for name in ["", "t", "tea", "keep alive", "keep\ralive", "connectio\u{e}", "content-length"] {
            #expect(!names.contains(name))
        }
        #expect(HeaderNames.begins("X-Cortex-Error", with: "x-cortex-"))
        #expect(!HeaderNames.begins("X-Cortex", with: "x-cortex-"))
        #expect(HeaderNames.equal("Date", "date") && !HeaderNames.equal("Dates", "date"))
    }
}
