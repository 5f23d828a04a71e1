import Testing

@testable import CortexCommands

@Suite struct FailureExcerptTests {
    private static let start = "2026-01-01T00:00:00Z starting version 3"

    @Test func `an exception's frames are shown, its sentence once`() {
        let log = """
            2026-01-01T00:00:00Z starting version 2
            2026-01-01T00:00:00Z old
            \(Self.start)
            2026-01-01T00:00:01Z hello
            2026-01-01T00:00:02Z ERROR predictor.py: __init__: ValueError: a
                  Traceback (most recent call last):
                    File "predictor.py", line 3, in __init__
            2026-01-01T00:00:02Z ERROR version 3 could not be started: predictor.py: __init__: ValueError: a
                  b
            """
        let lines = FailureExcerpt.lines(of: log, version: 3, besides: "predictor.py: __init__: ValueError: a\nb")
        #expect(lines.first?.hasSuffix("hello") == true)
        #expect(lines.last?.hasSuffix("line 3, in __init__") == true)
        #expect(lines.count == 4)
    }

    @Test func `a build's output is not shown twice`() {
        let log = """
            \(Self.start)
            2026-01-01T00:00:01Z resolving 3 requirements
            2026-01-01T00:00:02Z error: No solution found
            2026-01-01T00:00:02Z ERROR version 3 could not be started: requirements.txt:1: nunpy: not found
            """
        let reason = "requirements.txt:1: nunpy: not found\n  error: No solution found"
        #expect(FailureExcerpt.lines(of: log, version: 3, besides: reason).isEmpty)
        #expect(FailureExcerpt.lines(of: log, version: 3, besides: "its project is gone").count == 2)
    }

    @Test func `a reason's first line stands for it where there is little room`() {
        #expect(FailureExcerpt.headline(of: "a: b\n  c\n") == "a: b")
        #expect(FailureExcerpt.headline(of: "a") == "a")
        #expect(FailureExcerpt.headline(of: "") == "")
    }
}
