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
}
