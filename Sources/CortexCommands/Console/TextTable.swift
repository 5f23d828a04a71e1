/// A table of text: columns to the left, three spaces between them, no trailing blanks.
struct TextTable {
    struct Column {
        var title: String
        /// Left out where no row has anything but `empty` in it.
        var isHiddenWhenEmpty = false
        var empty = "-"

        init(_ title: String, hiddenWhenEmpty: Bool = false, empty: String = "-") {
            self.title = title
            self.isHiddenWhenEmpty = hiddenWhenEmpty
            self.empty = empty
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter row: One cell for each column.
    mutating func add(_ row: [String]) {
        self.rows.append(row)
    }

    /// The table's lines; the header is bold where `bold` is set.
    func render(bold: Bool) -> String {
        let shown = self.columns.indices.filter { index in
            !self.columns[index].isHiddenWhenEmpty || self.rows.contains { $0[index] != self.columns[index].empty }
        }
        let widths = shown.map { index in
            max(self.columns[index].title.count, self.rows.map { $0[index].count }.max() ?? 0)
        }
        let header = Self.line(shown.map { self.columns[$0].title }, widths)
        let lines = self.rows.map { row in Self.line(shown.map { row[$0] }, widths) }
        return ([bold ? "\u{1B}[1m\(header)\u{1B}[0m" : header] + lines).joined(separator: "\n")
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (cell, width) in zip(cells, widths) {
            line += cell + String(repeating: " ", count: width - cell.count + 3)
        }
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}
