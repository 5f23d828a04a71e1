import CortexTelemetry
import NIOCore
import Testing

@testable import CortexGateway

@Suite struct ResponseHeadTests {
    private func foreign(_ name: String, _ value: String) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.write(atMost: ResponseHead.most(name, value)) { ResponseHead.writeForeign(name, value, into: &$0) }
        return Array(buffer.readableBytesView)
    }

    private func text(of head: ResponseHead) -> String {
        var buffer = ByteBuffer()
        buffer.write(atMost: ResponseHead.most(date: "D", requestID: "r")) {
            head.write(into: &$0, date: "D", requestID: "r")
        }
        return String(buffer: buffer)
    }

    @Test(
        arguments: [
            ("x-tea", "oolong", "x-tea: oolong\r\n"), ("X-Tea", "", "X-Tea: \r\n"), ("x", "a\tb", "x: a\tb\r\n"),
            ("x", "a\r\nset-cookie: b", "x: a  set-cookie: b\r\n"), ("x", "a\u{0}\u{1B}\u{7F}b", "x: a   b\r\n"),
            ("x", "a\u{2028}😀b", "x: a  b\r\n"), ("x!#$%&'*+-.^_`|~", "1", "x!#$%&'*+-.^_`|~: 1\r\n"),
        ]
    )
    func `a value cannot end its line`(name: String, value: String, expected: String) {
        #expect(self.foreign(name, value) == Array(expected.utf8))
    }

    @Test func `bytes beyond ASCII are the bytes that the predictor gave`() {
        #expect(self.foreign("x", "\u{E9}\u{FF}") == Array("x: ".utf8) + [0xE9, 0xFF, 0x0D, 0x0A])
    }

    @Test(arguments: [
        "", "a b", "a:", "a\r\nb", "é", "a\0", "(a)", "a\u{7F}", "Content-Length", "TRANSFER-ENCODING", "connection",
        "Keep-Alive", "upgrade", "Trailer", "Date", "x-request-id",
    ])
    func `a name that is none, or is the gateway's own, is dropped`(name: String) {
        #expect(self.foreign(name, "1") == [])
    }

    @Test(
        arguments: [
            (.length(12), true, false, "\r\nContent-Length: 12", ""),
            (.chunked, true, false, "\r\nTransfer-Encoding: chunked", ""),
            (.none, true, false, "", ""), (.untilClose, false, true, "", "\r\nConnection: close"),
            (.length(0), true, true, "\r\nContent-Length: 0", "\r\nConnection: keep-alive"),
        ] as [(ResponseHead.Framing, Bool, Bool, String, String)]
    )
    func `the head says how the body ends, and whether the connection goes on`(
        framing: ResponseHead.Framing,
        keepAlive: Bool,
        isHTTP10: Bool,
        length: String,
        connection: String
    ) {
        let head = ResponseHead(status: 200, framing: framing, keepAlive: keepAlive, isHTTP10: isHTTP10)
        #expect(self.text(of: head) == "HTTP/1.1 200 OK\(length)\r\nDate: D\r\nX-Request-ID: r\(connection)\r\n")
    }

    @Test func `a status without a name still has a reason`() {
        let head = ResponseHead(status: 299, framing: .none, keepAlive: true, isHTTP10: false)
        #expect(self.text(of: head).hasPrefix("HTTP/1.1 299 Status\r\n"))
    }
}
