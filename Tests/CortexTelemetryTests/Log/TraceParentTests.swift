import CortexTelemetry
import Testing

@Suite struct TraceParentTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test(
        arguments: [
            "00-\(Self.trace)-\(Self.span)-01", "00-\(Self.trace)-\(Self.span)-00", "01-\(Self.trace)-\(Self.span)-01",
            "cc-\(Self.trace)-\(Self.span)-01-what-comes-later",
        ]
    )
    func `a header of any version tells the trace`(header: String) {
        #expect(TraceParent.traceID(of: header) == Self.trace)
    }

    @Test(
        arguments: [
            "", "00", Self.trace, "ff-\(Self.trace)-\(Self.span)-01", "00-\(Self.trace)-\(Self.span)-01-more",
            "01-\(Self.trace)-\(Self.span)-01more", "00-\(Self.trace.uppercased())-\(Self.span)-01",
            "00-\(String(repeating: "0", count: 32))-\(Self.span)-01",
            "00-\(Self.trace)-\(String(repeating: "0", count: 16))-01",
            "00-\(Self.trace.dropLast())g-\(Self.span)-01", "00_\(Self.trace)-\(Self.span)-01",
            "00-\(Self.trace)-\(Self.span)-0", "00-\(Self.trace)-\(Self.span)-xy",
            "00-\(Self.trace)\"-\(Self.span)-0", "00-\u{e9}\(Self.trace.dropLast(2))-\(Self.span)-01",
        ]
    )
    func `a header that is malformed tells nothing`(header: String) {
        #expect(TraceParent.traceID(of: header) == nil)
    }
}
