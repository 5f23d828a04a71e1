import CortexControlPlane
import Testing

@Suite struct LoadTraceTests {
    private typealias Step = LoadTrace.Step

    @Test func `steps are loads and times`() throws {
        let trace = try #require(try LoadTrace(steps: "0x60, 8x5m,1.5x1m30s"))
        #expect(
            trace.steps == [
                Step(start: .zero, inFlight: 0), Step(start: .seconds(60), inFlight: 8),
                Step(start: .seconds(360), inFlight: 1.5),
            ]
        )
        #expect(trace.end == .seconds(450))
        #expect(trace.samples.count == 450)
        #expect(trace.samples[59] == 0)
        #expect(trace.samples[60] == 8)
    }

    @Test(arguments: ["trace.csv", "", "8", "load/8x60.csv", "-", "8x60x3"])
    func `what is no list of steps may be a file`(text: String) throws {
        #expect(try LoadTrace(steps: text) == nil)
    }

    @Test(arguments: [
        ("8xabc", "\"abc\" is no duration; a step is written LOADxSECONDS or LOADx5m, such as 8x300"),
        ("8x0", "\"0\" is no duration; a step is written LOADxSECONDS or LOADx5m, such as 8x300"),
        ("8x1e14", "the trace is longer than 31 days"),
        ("8x720h,1x30h", "the trace is longer than 31 days"),
        ("8ax60", "\"8a\" is no number of requests in flight; it must be from 0 to 1000000000"),
        ("2e9x60", "\"2e9\" is no number of requests in flight; it must be from 0 to 1000000000"),
    ])
    func `broken steps are told`(text: String, message: String) {
        #expect(throws: LoadTraceProblem(line: nil, message: message)) { try LoadTrace(steps: text) }
    }

    @Test func `lines hold until the next, the last as long as the one before it`() throws {
        let trace = try LoadTrace(csv: "seconds,in_flight\r\n# quiet\r\n0,0\r\n\r\n60, 8\r\n90,2.5\r\n")
        #expect(
            trace.steps == [
                Step(start: .zero, inFlight: 0), Step(start: .seconds(60), inFlight: 8),
                Step(start: .seconds(90), inFlight: 2.5),
            ]
        )
        #expect(trace.end == .seconds(120))
    }

    @Test func `times begin with the first line`() throws {
        let trace = try LoadTrace(csv: "1700000000,4\n1700000001,5\n")
        #expect(trace.samples == [4, 5])
    }

    @Test(
        arguments: [
            ("", nil, "there is no line of seconds,in_flight in it"),
            ("seconds,in_flight\n", nil, "there is no line of seconds,in_flight in it"),
            ("0,1\n10;2\n", 2, "\"10;2\" is not seconds,in_flight, such as 60,8"),
            ("0,1\n10\n", 2, "\"10\" is not seconds,in_flight, such as 60,8"),
            ("0,1\n10,2,3\n", 2, "\"10,2,3\" is not seconds,in_flight, such as 60,8"),
            ("0,1\nten,2\n", 2, "\"ten,2\" is not seconds,in_flight, such as 60,8"),
            ("0,1\n10,-2\n", 2, "\"-2\" is no number of requests in flight; it must be from 0 to 1000000000"),
            ("0,1\n10,nan\n", 2, "\"nan\" is no number of requests in flight; it must be from 0 to 1000000000"),
            ("10,1\n10,2\n", 2, "10 s is not after the line before it"),
            ("10,1\n9,2\n", 2, "9 s is not after the line before it"),
            ("0,1\n1e10,2\n", 2, "the trace is longer than 31 days"),
        ] as [(String, Int?, String)]
    )
    func `broken lines are told by their number`(text: String, line: Int?, message: String) {
        #expect(throws: LoadTraceProblem(line: line, message: message)) { try LoadTrace(csv: text) }
    }
}
