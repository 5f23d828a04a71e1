import Testing

@testable import CortexCommands

@Suite struct TextTableTests {
    @Test func `columns are padded, and trailing blanks trimmed`() {
        var table = TextTable([.init("name"), .init("status"), .init("n")])
        table.add(["iris", "live", "1"])
        table.add(["image-classifier", "updating", ""])
        #expect(
            table.render(bold: false) == """
                name               status     n
                iris               live       1
                image-classifier   updating
                """
        )
    }

    @Test func `a column with nothing in it is hidden`() {
        var table = TextTable([
            .init("a"), .init("b", hiddenWhenEmpty: true, empty: "0"), .init("c", hiddenWhenEmpty: true),
        ])
        table.add(["1", "0", "-"])
        table.add(["2", "0", "3"])
        #expect(table.render(bold: false) == "a   c\n1   -\n2   3")
    }

    @Test func `only the header is bold`() {
        var table = TextTable([.init("a")])
        table.add(["1"])
        #expect(table.render(bold: true) == "\u{1B}[1ma\u{1B}[0m\n1")
    }

    @Test func `columns come closer, then the least needed go, then the last breaks`() {
        var table = TextTable([.init("a"), .init("b", dropOrder: 2), .init("c", dropOrder: 1), .init("message")])
        table.add(["1", "22", "333", "one two three four five six"])
        #expect(
            table.render(bold: false, width: 44) == "a   b    c     message\n1   22   333   one two three four five six"
        )
        #expect(table.render(bold: false, width: 40) == "a  b   c    message\n1  22  333  one two three four five six")
        #expect(table.render(bold: false, width: 35) == "a  b   message\n1  22  one two three four five six")
        #expect(table.render(bold: false, width: 30) == "a  message\n1  one two three four five six")
        #expect(table.render(bold: false, width: 22) == "a  message\n1  one two three four\n   five six")
    }

    @Test(arguments: [
        ("", 3, [""]),
        ("a b c", 3, ["a b", "c"]),
        ("abcdef g", 4, ["abcd", "ef g"]),
        ("ab  cd", 6, ["ab  cd"]),
    ])
    func `text breaks between words`(text: String, width: Int, expected: [String]) {
        #expect(TextTable.broken(text, into: width) == expected)
    }

    @Test func `styles are of cells, and take no room`() {
        var table = TextTable([.init("a", style: { $0 == "x" ? "32" : nil }), .init("b")])
        table.add(["x", "1"])
        table.add(["yy", "2"])
        #expect(table.render(bold: false) == "a    b\nx    1\nyy   2")
        #expect(table.render(bold: true) == "\u{1B}[1ma    b\u{1B}[0m\n\u{1B}[32mx\u{1B}[0m    1\nyy   2")
    }
}
