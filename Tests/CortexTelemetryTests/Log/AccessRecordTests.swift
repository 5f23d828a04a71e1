import CortexTelemetry
import Foundation
import NIOCore
import Testing

@Suite struct AccessRecordTests {
    private func line(_ change: (inout AccessRecord) -> Void) -> String {
        var record = AccessRecord(requestID: "r-1", method: "POST", path: "/iris", client: "127.0.0.1")
        change(&record)
        var buffer = ByteBuffer()
        record.write(into: &buffer, timestamp: "2026-11-21T10:46:45.123Z")
        return String(buffer: buffer)
    }

    @Test func `a record is one line, and leaves out what is not known`() {
        let line = self.line { record in
            record.status = 200
            record.bytesIn = 2
            record.total = .microseconds(1_500)
        }
        let expected =
            #"{"ts":"2026-11-21T10:46:45.123Z","level":"info","request_id":"r-1","method":"POST","path":"/iris","#
            + #""status":200,"bytes_in":2,"bytes_out":0,"total_ms":1.500,"client":"127.0.0.1"}"# + "\n"
        #expect(line == expected)
    }

    @Test func `what its prediction was stands behind its times`() {
        let line = self.line { record in
            record.queue = .microseconds(250)
            record.predict = .milliseconds(12)
            record.total = .milliseconds(13)
            record.batchSize = 1
            record.worker = "iris-3-0-0"
        }
        let expected =
            #""queue_ms":0.250,"predict_ms":12.000,"total_ms":13.000,"batch_size":1,"worker":"iris-3-0-0","client""#
        #expect(line.contains(expected))
    }

    @Test func `a request cannot forge a line or a field`() throws {
        let line = self.line { record in
            record.path = "/a\",\"status\":200}\n{\"forged\":1"
            record.status = 500
            record.errorCode = "PREDICTOR_FAILED"
        }
        #expect(line.filter { $0 == "\n" }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["path"] as? String == "/a\",\"status\":200}\n{\"forged\":1")
        #expect(object?["status"] as? Int == 500)
        #expect(object?["level"] as? String == "error")
        #expect(object?["forged"] == nil)
    }

    @Test(arguments: [(200, "info"), (302, "info"), (400, "warning"), (499, "warning"), (500, "error"), (504, "error")])
    func `the status decides the level`(status: Int, level: String) {
        #expect(self.line { $0.status = status }.contains(#""level":"\#(level)""#))
    }

    @Test func `a long path of characters that are escaped is cut too`() throws {
        let line = self.line { $0.path = "é" + String(repeating: "\u{1}\u{9B}", count: 30_000) }
        #expect(line.utf8.count < 10_000)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect((object?["path"] as? String)?.hasPrefix("é\u{1}\u{9B}") == true)
    }

    @Test func `a path of any length makes a line of bounded length`() {
        let line = self.line { $0.path = String(repeating: "x", count: 60_000) }
        #expect(line.utf8.count < 3_000)
    }
}
