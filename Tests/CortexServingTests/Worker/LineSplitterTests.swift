import Testing

@testable import CortexServing

@Suite struct LineSplitterTests {
    private func lines(_ pieces: [[UInt8]]) -> [String] {
        var splitter = LineSplitter()
        var found: [String] = []
        for piece in pieces { piece.withUnsafeBytes { splitter.append($0) { found.append($0) } } }
        splitter.finish { found.append($0) }
        return found
    }

    @Test(
        arguments: [
            ("", []), ("one", ["one"]), ("one\n", ["one"]), ("one\ntwo", ["one", "two"]), ("a\r\nb\r\n", ["a", "b"]),
            ("a\rb\n", ["a\rb"]), ("é😀\nx", ["é😀", "x"]),
        ]
    )
    func `output is cut at line feeds, in whatever pieces it comes`(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        #expect(self.lines([bytes]) == expected)
        #expect(self.lines(bytes.map { [$0] }) == expected)
        for position in bytes.indices {
            #expect(self.lines([Array(bytes[..<position]), Array(bytes[position...])]) == expected)
        }
    }

    @Test func `what is not UTF-8 is shown as such`() {
        #expect(self.lines([[0x61, 0xFF, 0x62, 0x0A]]) == ["a\u{FFFD}b"])
    }

    @Test func `a line is cut at 64 KiB, and the next one is whole`() {
        let long = [UInt8](repeating: 0x78, count: 10 << 20) + Array("\nnext\n".utf8)
        let found = self.lines(
            stride(from: 0, to: long.count, by: 8191).map { Array(long[$0..<min($0 + 8191, long.count)]) }
        )
        #expect(found.count == 2)
        #expect(found.first == String(repeating: "x", count: 64 << 10) + " [cut]")
        #expect(found.last == "next")
    }

    @Test func `a line of exactly 64 KiB is whole`() {
        let line = String(repeating: "x", count: 64 << 10)
        #expect(self.lines([Array((line + "\n").utf8)]) == [line])
    }
}
