/// A place in a text: line and column count from 1, columns in Unicode scalars.
package struct SourcePosition: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(self.line):\(self.column)" }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.line, lhs.column) < (rhs.line, rhs.column)
    }
}
