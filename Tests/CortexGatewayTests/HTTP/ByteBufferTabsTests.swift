import NIOCore
import Testing

@testable import CortexGateway

@Suite struct ByteBufferTabsTests {
    @Test(
        arguments: [
            ("A: 1\t\r\nB: 2\r\n\r\n", "A: 1 \r\nB: 2\r\n\r\n"),
            ("A: 1 \t \t\r\nB:\t2\t3\r\n\r\n", "A: 1    \r\nB:\t2\t3\r\n\r\n"),
            ("A: 1\t\r\n\r\n\"a\t\r\n\"", "A: 1 \r\n\r\n\"a\t\r\n\""),
            ("A: 1\t\r\nB: 2", "A: 1 \r\nB: 2"),
            ("A: 1\r\n\r\na\t\r\n", "A: 1\r\n\r\na\t\r\n"),
        ]
    )
    func `tabs at the ends of lines become spaces, others stay`(given: String, expected: String) {
        var buffer = ByteBuffer(string: given)
        let isKnown = buffer.hasTabInHead ? buffer.spaceOutTabs() : true
        #expect(isKnown)
        #expect(String(buffer: buffer) == expected)
    }

    @Test func `whether the last tab ends its line is told by what follows`() {
        var buffer = ByteBuffer(string: "A: 1\t")
        #expect(buffer.hasTabInHead)
        var isKnown = buffer.spaceOutTabs()
        #expect(!isKnown)
        buffer.writeString("\r\n")
        isKnown = buffer.spaceOutTabs()
        #expect(isKnown)
        #expect(String(buffer: buffer) == "A: 1 \r\n")
        // Nobody keeps the parser waiting for ever.
        buffer.writeString(String(repeating: "\t", count: 2000))
        isKnown = buffer.spaceOutTabs()
        #expect(isKnown)
    }

    @Test func `a body is none of this`() {
        #expect(!ByteBuffer(string: "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\n\t\t\t").hasTabInHead)
        #expect(!ByteBuffer(string: "").hasTabInHead)
    }
}
