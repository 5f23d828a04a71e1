import CortexWire
import NIOCore
import Testing

@testable import CortexServing

@Suite struct LogMessageTests {
    private func frame(code: UInt16, flags: UInt8, id: String, text: [UInt8], length: UInt16? = nil) -> Frame {
        var body = ByteBuffer()
        body.writeInteger(length ?? UInt16(id.utf8.count), endianness: .little)
        body.writeString(id)
        body.writeBytes(text)
        return Frame(.log, flags: Frame.Flags(rawValue: flags), code: code, body: body)
    }

    @Test func `a line tells its level, its stream, its request and its text`() {
        let printed = LogMessage(self.frame(code: 0, flags: 1, id: "r-1", text: Array("é\u{1B}[31m".utf8)))
        #expect(printed == LogMessage(level: "info", message: "é\u{1B}[31m", requestID: "r-1", stream: "stdout"))
        let own = LogMessage(self.frame(code: 2, flags: 0, id: "", text: []))
        #expect(own == LogMessage(level: "error", message: "", requestID: nil, stream: "worker"))
    }

    @Test func `what is no UTF-8 is repaired`() {
        #expect(LogMessage(self.frame(code: 1, flags: 2, id: "", text: [0x61, 0xFF]))?.message == "a\u{FFFD}")
    }

    @Test func `what the protocol does not know is no message`() {
        #expect(LogMessage(self.frame(code: 3, flags: 0, id: "", text: [])) == nil)
        #expect(LogMessage(self.frame(code: 0, flags: 3, id: "", text: [])) == nil)
        #expect(LogMessage(self.frame(code: 0, flags: 0, id: "ab", text: [], length: 3)) == nil)
        #expect(LogMessage(Frame(.log)) == nil)
    }
}
