import CortexSpec
import CortexTelemetry
import Foundation
import NIOCore
import Testing

@Suite struct JSONWritingTests {
    private func json(_ text: String) -> String {
        var buffer = ByteBuffer()
        buffer.writeJSON(text)
        return String(buffer: buffer)
    }

    @Test(
        arguments: [
            ("", #""""#), ("plain", #""plain""#), (#"a "b" \c"#, #""a \"b\" \\c""#), ("a\nb\r\tc", #""a\nb\r\tc""#),
            ("\r\n", #""\r\n""#), ("\0\u{1B}[31m\u{7F}", #""\u0000\u001b[31m\u007f""#), ("é 😀", #""é 😀""#),
            ("\"\u{301}", "\"\\\"\u{301}\""),
            ("\u{80}\u{9B}2J\u{9F}\u{A0}\u{C2}", "\"\\u0080\\u009b2J\\u009f\u{A0}\u{C2}\""),
        ]
    )
    func `a text is written as a JSON string`(text: String, expected: String) {
        #expect(self.json(text) == expected)
    }

    @Test(
        arguments: [
            (JSONValue.null, "null"), (.bool(true), "true"), (.int(-3), "-3"), (.double(1), "1.0"),
            (.double(1e22), "1e+22"), (.double(.infinity), "Infinity"), (.double(.nan), "NaN"), (.array([]), "[]"),
            (.object(["b": .array([.int(1), .double(0.5)]), "a": .string("x")]), #"{"a":"x","b":[1,0.5]}"#),
        ]
    )
    func `a value is written so that Python reads the same`(value: JSONValue, expected: String) {
        var buffer = ByteBuffer()
        buffer.writeJSON(value)
        #expect(String(buffer: buffer) == expected)
    }

    @Test func `every control character is escaped, and all is read back as it was`() throws {
        let text =
            String(String.UnicodeScalarView((0..<0x800).compactMap { Unicode.Scalar($0 as UInt32) })) + "\u{FFFF}"
        let written = self.json(text)
        #expect(written.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        #expect(try JSONDecoder().decode(String.self, from: Data(written.utf8)) == text)
    }

    @Test(
        arguments: [
            (.zero, "0.000"), (.nanoseconds(999), "0.000"), (.microseconds(1), "0.001"), (.microseconds(12), "0.012"),
            (.microseconds(123), "0.123"), (.microseconds(1_000), "1.000"), (.microseconds(61_234_567), "61234.567"),
            (.nanoseconds(-5_000_000), "0.000"),  // a clock is never trusted to go forwards
        ] as [(TimeAmount, String)]
    )
    func `a duration is written in milliseconds with three decimals`(duration: TimeAmount, expected: String) {
        var buffer = ByteBuffer()
        buffer.writeMilliseconds(duration)
        #expect(String(buffer: buffer) == expected)
    }

    @Test(arguments: [(0, "0"), (9, "9"), (10, "10"), (-1, "-1"), (Int.min, "-9223372036854775808")])
    func `a number is written in decimal digits`(number: Int, expected: String) {
        var buffer = ByteBuffer()
        buffer.writeDecimal(number)
        #expect(String(buffer: buffer) == expected)
    }
}
