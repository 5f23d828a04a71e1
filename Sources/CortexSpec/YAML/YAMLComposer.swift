import Yams

/// Turns the text of a YAML file into the nodes of its documents.
///
/// Yams gives up at the first key that is written twice in a map, and names one place only. So that all duplicates can
/// be told, with both places, the composer marks such a key in its copy of the text (one scalar replaced by a private-use
/// one, which moves no column) and composes again; ``YAMLTree`` finds the marks.
struct YAMLComposer {
    /// Beyond this a file is no configuration, and composing it several times would be slow.
    static let maximumBytes = 1 << 20
    static let maximumDuplicates = 100

    /// Why there are no nodes.
    struct Failure: Error {
        var position: SourcePosition
        var message: String
        var allowed: String?
        var hint: String?
    }

    /// The roots of all documents.
    private(set) var documents: [Node] = []
    /// Places of keys that stand again later in the same map, and the keys.
    private(set) var firstOfDuplicates: [SourcePosition: String] = [:]

    private var lines: [String.UnicodeScalarView]
    /// Private-use scalars that the text does not hold, one for each key that can be marked.
    private var markers: [Unicode.Scalar]

    init(_ text: String) throws(Failure) {
        var text = text
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let start = SourcePosition(line: 1, column: 1)
        guard text.utf8.count <= Self.maximumBytes else {
            throw Failure(position: start, message: "the file is larger than 1 MiB")
        }
        self.lines = SourceText(text).lines
        let used = Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
        let free = (0xE000...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }
        self.markers = Array(free.prefix(Self.maximumDuplicates))
        try self.checkCharacters()
        let hasStars = text.unicodeScalars.contains("*")
        if hasStars { try self.composeWithoutAliases() }
        while try !self.compose() {}
    }

    /// Finds duplicate keys, and refuses keys that are not scalars, in a copy of the text that can have no alias.
    ///
    /// Yams compares the keys of a map by their whole value. Where a key holds aliases of aliases that takes time
    /// beyond any bound, so such keys must be found before: with every star replaced, the text has the same shape, and
    /// what was an alias is a word.
    private mutating func composeWithoutAliases() throws(Failure) {
        guard let star = self.markers.popLast() else {
            let start = SourcePosition(line: 1, column: 1)
            throw Failure(position: start, message: "the file has too many private-use characters")
        }
        self.replace("*", with: star)
        while try !self.compose() {}
        for document in self.documents { try Self.checkKeys(of: document, star: star) }
        self.replace(star, with: "*")
        self.firstOfDuplicates = self.firstOfDuplicates.mapValues { $0.replacing(String(star), with: "*") }
    }

    private mutating func replace(_ old: Unicode.Scalar, with new: Unicode.Scalar) {
        for index in self.lines.indices where self.lines[index].contains(old) {
            var line = String.UnicodeScalarView()
            for scalar in self.lines[index] { line.append(scalar == old ? new : scalar) }
            self.lines[index] = line
        }
    }

    private static func checkKeys(of node: Node, star: Unicode.Scalar) throws(Failure) {
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard case .scalar(let scalar) = key,
                    scalar.style != .plain || scalar.string.unicodeScalars.first != star
                else {
                    let message = "a list, map or alias cannot be a key"
                    throw Failure(position: key.position, message: message, allowed: "keys must be text")
                }
                try Self.checkKeys(of: value, star: star)
            }
        case .sequence(let sequence):
            for item in sequence { try Self.checkKeys(of: item, star: star) }
        case .scalar, .alias: break
        }
    }

    /// Composes the text; false where a duplicate was marked and it must be done again.
    private mutating func compose() throws(Failure) -> Bool {
        var text = String.UnicodeScalarView()
        for (number, line) in self.lines.enumerated() {
            if number > 0 { text.append("\n") }
            text.append(contentsOf: line)
        }
        do {
            // No resolver rules: YAMLScalar types the scalars, and regular expressions would cost start-up time.
            let parser = try Parser(yaml: String(text), resolver: .basic, encoding: .utf8)
            self.documents = []
            while let root = try parser.nextRoot() { self.documents.append(root) }
            return true
        } catch let error as YamlError {
            guard case .duplicatedKeysInMapping(let keys, let context) = error else { throw Self.failure(of: error) }
            try self.markDuplicate(at: SourcePosition(context.mark), keys: keys)
            return false
        } catch {
            throw Failure(position: SourcePosition(line: 1, column: 1), message: "not valid YAML: \(error)")
        }
    }

    /// Replaces the first scalar of the key at a position, inside its quotes where it has some.
    private mutating func markDuplicate(at position: SourcePosition, keys: [String]) throws(Failure) {
        let failure = Failure(
            position: position,
            message: "the key \((keys.first ?? "").quoted) is given twice in one map"
        )
        guard self.lines.indices.contains(position.line - 1), let key = keys.first else { throw failure }
        var line = Array(self.lines[position.line - 1])
        var index = position.column - 1
        if line.indices.contains(index), "\"'".unicodeScalars.contains(line[index]) { index += 1 }
        // A key with an anchor or tag before it, or an escape in it, does not begin with its own text.
        guard line.indices.contains(index), line[index] == key.unicodeScalars.first else { throw failure }
        // Each key gets a marker of its own: two keys of one marker could be duplicates again. Composing ends since the
        // markers do.
        guard let marker = self.markers.popLast() else { throw failure }
        line[index] = marker
        var view = String.UnicodeScalarView()
        view.append(contentsOf: line)
        self.lines[position.line - 1] = view
        self.firstOfDuplicates[position] = key
    }

    private static func failure(of error: YamlError) -> Failure {
        switch error {
        case .scanner(let context, let problem, let mark, let yaml),
            .parser(let context, let problem, let mark, let yaml),
            .composer(let context, let problem, let mark, let yaml):
            let position = SourcePosition(mark)
            let lines = SourceText(yaml).lines
            let line = lines.indices.contains(position.line - 1) ? lines[position.line - 1] : nil
            let scalar = line?.dropFirst(position.column - 1).first
            if scalar == "\t" {
                return Failure(
                    position: position,
                    message: "not valid YAML: a tab stands where only spaces may",
                    allowed: "indent with spaces"
                )
            }
            if let scalar, "@`%".unicodeScalars.contains(scalar) {
                return Failure(
                    position: position,
                    message: "not valid YAML: a value cannot begin with \(scalar)",
                    allowed: "put it in quotes"
                )
            }
            var message = "not valid YAML: \(problem)"
            if let context {
                message += " \(context.text)"
                let opening = SourcePosition(context.mark)
                // What is never closed is found at the end of the file; the place to look at is where it was opened.
                let isAtEnd = position.line >= lines.count && position.column > (line?.count ?? 0)
                if isAtEnd { return Failure(position: opening, message: message) }
                if opening.line != position.line { message += " that begins at \(opening)" }
            }
            let hint =
                problem == "mapping values are not allowed in this context"
                ? "is the line indented too far, or a text with \": \" in it not in quotes?" : nil
            return Failure(position: position, message: message, hint: hint)
        default:
            return Failure(position: SourcePosition(line: 1, column: 1), message: "not valid YAML: \(error)")
        }
    }
}

extension YAMLComposer {
    /// Refuses what YAML has no place for, such as NUL and escape characters.
    private func checkCharacters() throws(Failure) {
        for (number, line) in self.lines.enumerated() {
            for (offset, scalar) in line.enumerated() {
                switch scalar.value {
                case 0x09, 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: continue
                default:
                    let position = SourcePosition(line: number + 1, column: offset + 1)
                    throw Failure(position: position, message: "the character \(scalar.name) is not allowed in YAML")
                }
            }
        }
    }
}

extension SourcePosition {
    init(_ mark: Mark) {
        self.init(line: mark.line, column: mark.column)
    }
}
