import NIOCore
import Testing

@testable import CortexKubernetes

struct LineBufferTests {
    @Test func `lines come whole, however they were cut`() {
        let text = "{\"a\":1}\n{\"b\":2}\n\nrest"
        for size in 1...text.utf8.count {
            var buffer = LineBuffer()
            var lines: [String] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += buffer.take(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(lines == ["{\"a\":1}", "{\"b\":2}", ""])
            #expect(buffer.finish() == "rest")
        }
    }
}
