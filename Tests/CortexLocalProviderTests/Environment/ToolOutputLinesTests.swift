import Testing

@testable import CortexLocalProvider

@Suite struct ToolOutputLinesTests {
    private func lines(_ pieces: [[UInt8]]) -> [String] {
        var splitter = ToolOutputLines()
        let lines = pieces.flatMap { piece in piece.withUnsafeBytes { splitter.split($0) } }
        return lines + (splitter.finish().map { [$0] } ?? [])
    }

    @Test(arguments: [
        (text: "", expected: []),
        (text: "one", expected: ["one"]),
        (text: "one\ntwo\n", expected: ["one", "two"]),
        (text: "one\r\n\n\ntwo", expected: ["one", "two"]),
        (text: "10%\r100%\r", expected: ["10%", "100%"]),
        (text: "\u{1B}[31mred\u{7}\ttab", expected: [" [31mred  tab"]),
        (text: "grün ✓", expected: ["grün ✓"]),
    ])
    func `cuts output into clean lines`(text: String, expected: [String]) {
        #expect(self.lines([Array(text.utf8)]) == expected)
        #expect(self.lines(text.utf8.map { [$0] }) == expected)
    }

    @Test func `a line of any length and any bytes costs little and breaks nothing`() throws {
        let endless = [[UInt8]](repeating: [UInt8](repeating: 0xFF, count: 1 << 16), count: 16)
        let lines = self.lines(endless + [Array("\nnext".utf8)])
        try #require(lines.count == 2)
        #expect(lines[0].hasSuffix("…"))
        #expect(lines[0].count == ToolOutputLines.longestLine + 2)
        #expect(lines[1] == "next")
    }
}
