/// A table of text: columns to the left, three spaces between them, no trailing blanks.
///
/// Where a width is to be kept, columns first come closer, then the least needed ones go, then the last one is broken
/// into lines.
struct TextTable {
    struct Column {
        var title: String
        /// Left out where no row has anything but `empty` in it.
        var isHiddenWhenEmpty = false
        var empty = "-"
        /// When it goes where there is little room: 1 first; nil stays.
        var dropOrder: Int?
        /// The ANSI code of a cell, by its text; nil for none.
        var style: (@Sendable (String) -> String?)?

        init(
            _ title: String,
            hiddenWhenEmpty: Bool = false,
            empty: String = "-",
            dropOrder: Int? = nil,
            style: (@Sendable (String) -> String?)? = nil
        ) {
            self.title = title
            self.isHiddenWhenEmpty = hiddenWhenEmpty
            self.empty = empty
            self.dropOrder = dropOrder
            self.style = style
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

    /// The table's lines.
    /// - Parameters:
    ///   - bold: Whether ANSI codes are written: a bold header, and the columns' own styles.
    ///   - width: How long a line may be; nil for any length.
    func render(bold: Bool, width: Int? = nil) -> String {
        let layout = Layout(self, width: width)
        let header = layout.lines(self.columns.map(\.title), style: nil).joined(separator: "\n")
        let styles = bold ? self.columns.map(\.style) : nil
        let lines = self.rows.flatMap { layout.lines($0, style: styles) }
        return ([bold ? "\u{1B}[1m\(header)\u{1B}[0m" : header] + lines).joined(separator: "\n")
    }

    /// Which columns are shown, how wide, and how far apart.
    private struct Layout {
        private var shown: [Int]
        private let widths: [Int]
        private var gap = 3
        /// Room of the last column's text; nil for any length.
        private let lastWidth: Int?

        init(_ table: TextTable, width: Int?) {
            let columns = table.columns
            let widths = columns.indices.map { index in
                max(columns[index].title.count, table.rows.map { $0[index].count }.max() ?? 0)
            }
            var shown = columns.indices.filter { index in
                !columns[index].isHiddenWhenEmpty || table.rows.contains { $0[index] != columns[index].empty }
            }
            var gap = 3
            func total() -> Int { shown.reduce(0) { $0 + widths[$1] } + gap * (shown.count - 1) }
            if let width {
                if total() > width { gap = 2 }
                let droppable = columns.indices.filter { columns[$0].dropOrder != nil }
                    .sorted { (columns[$0].dropOrder ?? 0) < (columns[$1].dropOrder ?? 0) }
                for index in droppable where total() > width { shown.removeAll { $0 == index } }
            }
            let before = total() - (shown.last.map { widths[$0] } ?? 0)
            // Too narrow a last column would be worse than lines that the terminal breaks.
            self.lastWidth = width.flatMap { total() > $0 && $0 - before >= 16 ? $0 - before : nil }
            self.shown = shown
            self.widths = widths
            self.gap = gap
        }

        /// The lines of one row.
        func lines(_ row: [String], style: [(@Sendable (String) -> String?)?]?) -> [String] {
            guard let last = self.shown.last else { return [] }
            var line = ""
            var indent = 0
            for index in self.shown.dropLast() {
                let cell = row[index]
                let padding = String(repeating: " ", count: self.widths[index] - cell.count + self.gap)
                line += Self.styled(cell, style?[index]) + padding
                indent += self.widths[index] + self.gap
            }
            let pieces = self.lastWidth.map { TextTable.broken(row[last], into: $0) } ?? [row[last]]
            return pieces.enumerated().map { position, piece in
                let start = position == 0 ? line : String(repeating: " ", count: indent)
                let text = start + Self.styled(piece, style?[last])
                return String(text.reversed().drop { $0 == " " }.reversed())
            }
        }

        private static func styled(_ cell: String, _ style: (@Sendable (String) -> String?)?) -> String {
            guard let code = style?(cell) else { return cell }
            return "\u{1B}[\(code)m\(cell)\u{1B}[0m"
        }
    }

    /// The text in lines of at most `width`, broken between words where that can be done.
    static func broken(_ text: String, into width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            var word = word[...]
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            while word.count > width {
                lines.append(String(word.prefix(width)))
                word = word.dropFirst(width)
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
    }
}
