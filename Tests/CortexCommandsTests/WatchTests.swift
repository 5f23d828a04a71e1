import Foundation
import Testing

@testable import CortexCommands

@Suite struct WatchTests {
    @Test(arguments: [
        ("cortex get", 60, "$ cortex get                          14 Nov 23 22:13:20 GMT"),
        ("cortex get a-very-long-name-of-an-api", 40, "$ cortex get a-…  14 Nov 23 22:13:20 GMT"),
    ])
    func `the header has the command and the time`(title: String, width: Int, expected: String) throws {
        let header = Watch.header(
            title,
            width: width,
            now: SampleAPI.now,
            zone: try #require(TimeZone(identifier: "GMT"))
        )
        #expect(header == expected)
        #expect(header.count <= width)
    }

    @Test(arguments: [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("\u{1B}[1mabcd\u{1B}[0m", 3, "\u{1B}[1mabc\u{1B}[0m"),
        ("a\u{1B}[32mb\u{1B}[0mcd", 2, "a\u{1B}[32mb\u{1B}[0m"),
    ])
    func `lines are cut to the screen, and styles closed`(line: String, width: Int, expected: String) {
        #expect(Watch.cut(line, to: width) == expected)
    }

    @Test(arguments: [
        (5, ["a", "b", "c", "d"]),
        (4, ["a", "b", "c", "d"]),
        (3, ["a", "b", "… 2 more lines: this window has too few rows"]),
        (1, ["… 4 more lines: this window has too few rows"]),
        (0, ["… 4 more lines: this window has too few rows"]),
    ])
    func `says how many lines a window has no room for`(rows: Int, expected: [String]) {
        #expect(Watch.fitting(["a", "b", "c", "d"], rows: rows) == expected)
    }
}
