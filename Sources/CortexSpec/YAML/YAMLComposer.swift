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
    private let marker: Unicode.Scalar

    init(_ text: String) throws(Failure) {
        var text = text
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let start = SourcePosition(line: 1, column: 1)
        guard text.utf8.count <= Self.maximumBytes else {
            throw Failure(position: start, message: "the file is larger than 1 MiB")
        }
        self.lines = SourceText(text).lines
        guard let marker = (0xE000...0xE0FF).lazy.compactMap(Unicode.Scalar.init).first(where: { mark in
            !text.unicodeScalars.contains(mark)
        }) else { throw Failure(position: start, message: "the file has too many private-use characters") }
        self.marker = marker
        try self.checkCharacters()
        try self.checkKeysBesideAliases()
        while try !self.compose() {}
    }

    /// Composes the text; false where a duplicate was marked and it must be done again.
    private mutating func compose() throws(Failure) -> Bool {
        var text = String.UnicodeScalarView()
        for line in self.lines {
            text.append(contentsOf: line)
            text.append("\n")
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
        let failure = Failure(position: position, message: "the key \((keys.first ?? "").quoted) is given twice in one map")
        guard
            self.firstOfDuplicates.count < Self.maximumDuplicates,
            self.lines.indices.contains(position.line - 1), let key = keys.first
        else { throw failure }
        var line = Array(self.lines[position.line - 1])
        var index = position.column - 1
        if line.indices.contains(index), "\"'".unicodeScalars.contains(line[index]) { index += 1 }
        // A key with an anchor or tag before it, or an escape in it, does not begin with its own text.
        guard line.indices.contains(index), line[index] == key.unicodeScalars.first else { throw failure }
        line[index] = self.marker
        var view = String.UnicodeScalarView()
        view.append(contentsOf: line)
        self.lines[position.line - 1] = view
        self.firstOfDuplicates[position] = key
    }

    private static func failure(of error: YamlError) -> Failure {
        switch error {
        case .scanner(let context, let problem, let mark, let yaml), .parser(let context, let problem, let mark, let yaml),
            .composer(let context, let problem, let mark, let yaml):
            let position = SourcePosition(mark)
            let line = SourceText(yaml).line(position.line)
            let scalar = line?.dropFirst(position.column - 1).first
            if scalar == "\t" {
                return Failure(position: position, message: "not valid YAML: a tab stands where only spaces may", allowed: "indent with spaces")
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
                if context.mark.line != mark.line { message += " that begins at \(SourcePosition(context.mark))" }
            }
            let hint = problem == "mapping values are not allowed in this context"
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

    /// Refuses a list, map or alias as a key in a file that has aliases.
    ///
    /// Yams compares the keys of a map by their whole value. Where such a key holds aliases of aliases that takes time
    /// beyond any bound, so it must be seen before. No key of `cortex.yaml` is anything but text, so what looks like
    /// one is enough.
    private func checkKeysBesideAliases() throws(Failure) {
        var hasAlias = false
        var keys: [SourcePosition] = []
        for (number, line) in self.lines.enumerated() {
            var previous: Unicode.Scalar = " "
            var quote: Unicode.Scalar?
            var canBeKey: SourcePosition?
            for (offset, scalar) in line.enumerated() {
                let position = SourcePosition(line: number + 1, column: offset + 1)
                defer { previous = scalar }
                if let open = quote {
                    if scalar == open, previous != "\\" { quote = nil }
                    continue
                }
                let isStart = " \t[{,:-?".unicodeScalars.contains(previous)
                switch scalar {
                case "\"" where isStart, "'" where isStart: quote = scalar
                case "#" where previous == " " || previous == "\t": canBeKey = nil
                case "*" where isStart:
                    hasAlias = true
                    canBeKey = position
                case "]", "}": canBeKey = position
                case "?" where isStart: keys.append(position)
                case ":": if let key = canBeKey { keys.append(key) }
                case " ", "\t": break
                default:
                    // The letters of an alias's name follow its star; anything after a bracket or a gap is a value.
                    if canBeKey != nil, isStart || "]}".unicodeScalars.contains(previous) { canBeKey = nil }
                }
            }
        }
        guard hasAlias, let first = keys.first else { return }
        throw Failure(position: first, message: "a list, map or alias cannot be a key", allowed: "keys must be text")
    }
}

extension SourcePosition {
    init(_ mark: Mark) {
        self.init(line: mark.line, column: mark.column)
    }
}
