/// Walks the text of a `.env` file.
struct DotEnvReader {
    let log: ProblemLog
    private let lines: [[Unicode.Scalar]]
    private var row = 0
    private var column = 0
    private var variables: [(key: String, value: String)] = []

    init(_ text: String, log: ProblemLog) {
        self.log = log
        var scalars = text.unicodeScalars[...]
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        self.lines = scalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.last == "\r" ? Array(line.dropLast()) : Array(line)
        }
    }

    /// The variables of all lines that are right.
    mutating func read() -> [(key: String, value: String)] {
        while self.row < self.lines.count {
            self.column = 0
            self.readLine()
            self.row += 1
        }
        return self.variables
    }

    private var position: SourcePosition { SourcePosition(line: self.row + 1, column: self.column + 1) }

    private var next: Unicode.Scalar? {
        self.lines[self.row].indices.contains(self.column) ? self.lines[self.row][self.column] : nil
    }

    private mutating func skipSpaces() {
        while self.next == " " || self.next == "\t" { self.column += 1 }
    }

    private mutating func word() -> String {
        var word = String.UnicodeScalarView()
        while let scalar = self.next, scalar != "=", scalar != " ", scalar != "\t" {
            word.append(scalar)
            self.column += 1
        }
        return String(word)
    }

    private mutating func readLine() {
        self.skipSpaces()
        guard let first = self.next, first != "#" else { return }
        var place = self.position
        var key = self.word()
        if key == "export", self.next == " " || self.next == "\t" {
            self.skipSpaces()
            place = self.position
            key = self.word()
        }
        let form = "each line is VARIABLE=value"
        guard self.next == "=" else {
            // A shell would take what stands before the spaces for a command.
            self.skipSpaces()
            let message = self.next == "=" ? "there are spaces before =" : "there is no = after \(key.quoted)"
            self.log.add(at: place, message, allowed: form)
            return
        }
        self.column += 1
        let flaw = EnvironmentName.flaw(of: key)
        if let flaw {
            self.log.add(
                at: place,
                key.isEmpty ? "there is no name before =" : flaw.message,
                allowed: key.isEmpty ? form : flaw.allowed
            )
        }
        guard let value = self.value(), flaw == nil else { return }
        if value.unicodeScalars.contains("\0") {
            self.log.add(at: place, "the value of \(key) holds the character U+0000", allowed: "remove it")
        } else if let index = self.variables.firstIndex(where: { $0.key == key }) {
            self.variables[index].value = value
        } else {
            self.variables.append((key, value))
        }
    }

    /// The value after `=`; nil where it is told to be wrong.
    private mutating func value() -> String? {
        self.skipSpaces()
        var value = ""
        if let quote = self.next, quote == "\"" || quote == "'" {
            guard let quoted = self.quoted(quote) else { return nil }
            value = quoted
            let end = self.position
            self.skipSpaces()
            guard let rest = self.next else { return value }
            guard rest == "#", end != self.position else {
                self.log.add(
                    at: self.position,
                    "there is text after the closing quote",
                    allowed: "quote the whole value"
                )
                return nil
            }
            return value
        }
        var scalars = self.lines[self.row][self.column...]
        for index in scalars.indices
        where scalars[index] == "#" && (index == 0 || " \t".unicodeScalars.contains(self.lines[self.row][index - 1])) {
            scalars = scalars[..<index]
            break
        }
        while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
        value.unicodeScalars.append(contentsOf: scalars)
        return value
    }

    /// The text up to the closing quote, over several lines if need be.
    private mutating func quoted(_ quote: Unicode.Scalar) -> String? {
        let opening = self.position
        let (row, _) = (self.row, self.column)
        var value = String.UnicodeScalarView()
        self.column += 1
        while true {
            guard let scalar = self.next else {
                guard self.row + 1 < self.lines.count else {
                    self.row = row
                    self.log.add(at: opening, "the quote is not closed", allowed: "close it with \(quote)")
                    return nil
                }
                value.append("\n")
                self.row += 1
                self.column = 0
                continue
            }
            self.column += 1
            if scalar == quote { return String(value) }
            guard scalar == "\\", quote == "\"", let escaped = self.next else {
                value.append(scalar)
                continue
            }
            self.column += 1
            switch escaped {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "r": value.append("\r")
            case "\"", "\\", "$", "`": value.append(escaped)
            default:
                value.append("\\")
                value.append(escaped)
            }
        }
    }
}
