import Testing

@testable import CortexCommands

@Suite struct LogRequestFilterTests {
    private static let log = """
        2026-11-21T10:00:00.000Z starting version 1
        2026-11-21T10:00:01.000Z [r-1] one
        2026-11-21T10:00:01.000Z [r-2] two [r-1] is named here
        2026-11-21T10:00:02.000Z ERROR [r-1] ValueError: x
            Traceback
              File
        2026-11-21T10:00:03.000Z ERROR [r-2] other
            [r-1] is named here too
        2026-11-21T10:00:03.000Z INFO [r-1] printed without an id
        2026-11-21T10:00:04.000Z [r-1]

        """
    private static let wanted = [
        "2026-11-21T10:00:01.000Z [r-1] one", "2026-11-21T10:00:02.000Z ERROR [r-1] ValueError: x", "    Traceback",
        "      File", "2026-11-21T10:00:04.000Z [r-1]",
    ]

    @Test(arguments: [1, 7, 64, 10_000])
    func `what one request wrote is let through, in pieces of any size`(size: Int) {
        var filter = LogRequestFilter(requestID: "r-1", asJSON: false)
        let bytes = Array(Self.log.utf8)
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += filter.take(bytes[start..<min(start + size, bytes.count)])
        }
        #expect(lines == Self.wanted)
    }

    @Test func `of JSON, only the key tells whose a line is`() {
        let lines = [
            #"{"ts":"1","worker":"a","request_id":"r-1","message":"one"}"#,
            #"{"ts":"2","worker":"a","request_id":"r-12","message":"two"}"#,
            #"{"ts":"3","worker":"a","message":",\"request_id\":\"r-1\","}"#,
            #"{"ts":"4","worker":"a","request_id":"r-1","message":"three"}"#,
        ]
        var filter = LogRequestFilter(requestID: "r-1", asJSON: true)
        #expect(filter.take(Array((lines.joined(separator: "\n") + "\n").utf8)) == [lines[0], lines[3]])
    }
}
