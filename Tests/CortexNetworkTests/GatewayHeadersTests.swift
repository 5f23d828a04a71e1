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
        let head = GatewayHeaders.head(of: request, host: "api-iris", now: now)
        #expect(head.uri == "/predict?a=1&b=2")
        #expect(head.method == .POST)
        let headers = Dictionary(grouping: head.headers, by: { $0.name.lowercased() }).mapValues { $0.map(\.value) }
        #expect(
            headers == [
                "host": ["api-iris"], "x-cortex-gateway": ["1"], "x-request-id": ["of-a-test"],
                "x-request-timeout": ["1500000000ns"], "content-length": ["4"], "x-mine": ["1"], "x-cortex-hops": ["2"],
            ]
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
        let head = GatewayHeaders.head(of: request, host: "api-iris", now: now)
        #expect(head.uri == "/predict?a=1%20HTTP/1.1%0D%0AX:%20y%7Fé")
        let own = head.headers.filter { $0.name.hasPrefix("x-") }.map { "\($0.name): \($0.value)" }
        #expect(own == ["x-five: tab\tand é"])
    }

    @Test func `an answer is passed on without what is between two neighbours`() {
        let headers: HTTPHeaders = [
            "Content-Length": "4", "Date": "today", "X-Request-ID": "1", "Connection": "close",
            "Content-Type": "text/plain",
            "X-Cortex-Worker": "pod/iris-1-0-0", "X-Cortex-Version": "3", "Server-Timing": "mine;dur=1",
            "Set-Cookie": "a=1", "set-cookie": "b=2", "server-timing": "queue;dur=0.1, predict;dur=1.25, total;dur=2",
        ]
        let passed = GatewayHeaders.passedOn(headers).map { "\($0.name): \($0.value)" }
        #expect(
            passed == ["Content-Type: text/plain", "Server-Timing: mine;dur=1", "Set-Cookie: a=1", "set-cookie: b=2"]
        )
        let timing = GatewayHeaders.timing(headers, elapsed: .milliseconds(5))
        #expect(timing.predict == .microseconds(1250))
        #expect(timing.queue == .microseconds(3750))
        #expect(timing.worker == "pod/iris-1-0-0")
        #expect(timing.version == 3)
    }

    @Test(arguments: ["predict;dur=x", "predict;dur=-1", "predict;dur=1e300", "predict;dur=nan", "total;dur=1", ""])
    func `what is no time is none`(text: String) {
        #expect(GatewayHeaders.duration(of: "predict", in: text) == nil)
    }
}
