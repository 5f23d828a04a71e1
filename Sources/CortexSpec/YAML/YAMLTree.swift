import Yams

/// Builds the values of a document from Yams's nodes: aliases and `<<` expanded, keys checked, within a bound.
struct YAMLTree {
    /// More values than any honest file has, and few enough to read at once.
    static let maximumValues = 50_000

    /// A problem and where it is; the path is dotted and starts at the root.
    struct Finding {
        var position: SourcePosition
        var path: [YAMLPathStep]
        var message: String
        var allowed: String?
    }

    private(set) var findings: [Finding] = []
    private let firstOfDuplicates: [SourcePosition: String]
    private var values = 0
    private var isExhausted = false

    init(firstOfDuplicates: [SourcePosition: String]) {
        self.firstOfDuplicates = firstOfDuplicates
    }

    /// The value of a node; nil where aliases expand beyond the bound, which is then a finding.
    mutating func build(_ root: Node) -> YAMLNode? {
        let node = self.node(root, path: [])
        return self.isExhausted ? nil : node
    }

    private mutating func node(_ node: Node, path: [YAMLPathStep]) -> YAMLNode {
        let position = node.position
        self.values += 1
        if self.values > Self.maximumValues, !self.isExhausted {
            self.isExhausted = true
            let message = "the file holds more than \(Self.maximumValues) values once its aliases are expanded"
            self.findings.append(Finding(position: position, path: [], message: message))
        }
        guard !self.isExhausted else { return YAMLNode(position: position, content: .list([])) }
        switch node {
        case .scalar(let scalar):
            self.checkTag(scalar.tag, position, path)
            return YAMLNode(position: position, content: .scalar(YAMLScalar(scalar)))
        case .sequence(let sequence):
            self.checkTag(sequence.tag, position, path)
            var items: [YAMLNode] = []
            for (index, item) in sequence.enumerated() {
                items.append(self.node(item, path: path + [.index(index)]))
                if self.isExhausted { break }
            }
            return YAMLNode(position: position, content: .list(items))
        case .mapping(let mapping):
            self.checkTag(mapping.tag, position, path)
            return YAMLNode(position: position, content: .map(self.entries(mapping, path)))
        case .alias:
            // Only an emitter makes these; the parser has put the aliased value here.
            return YAMLNode(position: position, content: .list([]))
        }
    }

    private mutating func entries(_ mapping: Node.Mapping, _ path: [YAMLPathStep]) -> [YAMLEntry] {
        var entries = MergedEntries()
        var duplicates: [(key: String, position: SourcePosition)] = []
        for (keyNode, valueNode) in mapping {
            guard !self.isExhausted else { break }
            let position = keyNode.position
            guard case .scalar(let keyScalar) = keyNode else {
                let message = "a list or map cannot be a key"
                self.findings.append(
                    Finding(position: position, path: path, message: message, allowed: "keys must be text")
                )
                continue
            }
            // Comparing keys has made Yams resolve their tags, so only the quotes tell.
            let key = YAMLScalar(text: keyScalar.string, isPlain: keyScalar.style == .plain)
            if let original = self.firstOfDuplicates[position] {
                duplicates.append((original, position))
                continue
            }
            if key.text == "<<", keyScalar.style == .plain {
                self.merge(self.node(valueNode, path: path + [.key("<<")]), into: &entries, position, path)
                continue
            }
            let value = self.node(valueNode, path: path + [.key(key.text)])
            entries.set(YAMLEntry(key: key, position: position, value: value))
        }
        self.tell(duplicates, entries, path)
        return entries.all
    }

    /// Tells each later place of a key that is written several times, naming the first.
    private mutating func tell(
        _ duplicates: [(key: String, position: SourcePosition)],
        _ entries: MergedEntries,
        _ path: [YAMLPathStep]
    ) {
        for (key, places) in Dictionary(grouping: duplicates, by: \.key) {
            let last = entries.position(of: key).map { [$0] } ?? []
            let all = (places.map(\.position) + last).sorted()
            for place in all.dropFirst() {
                let message = "the key \(key.quoted) is given twice, first at \(all[0])"
                self.findings.append(
                    Finding(position: place, path: path + [.key(key)], message: message, allowed: "remove one of them")
                )
            }
        }
    }

    private mutating func merge(
        _ value: YAMLNode,
        into entries: inout MergedEntries,
        _ position: SourcePosition,
        _ path: [YAMLPathStep]
    ) {
        switch value.content {
        case .map(let merged):
            for entry in merged { entries.setDefault(entry) }
        case .list(let maps) where maps.allSatisfy({ $0.entries != nil }):
            for map in maps { self.merge(map, into: &entries, position, path) }
        default:
            let message = "<< is \(value.kind)"
            self.findings.append(
                Finding(
                    position: position,
                    path: path,
                    message: message,
                    allowed: "it must name a map, such as *defaults"
                )
            )
        }
    }

    private mutating func checkTag(_ tag: Tag, _ position: SourcePosition, _ path: [YAMLPathStep]) {
        let name = tag.rawValue
        let core = ["str", "int", "float", "bool", "null", "seq", "map"].map { "tag:yaml.org,2002:" + $0 }
        guard !name.isEmpty, name != "!", !core.contains(name) else { return }
        let message = "the tag \(name.quoted) is not supported"
        self.findings.append(Finding(position: position, path: path, message: message, allowed: "remove it"))
    }
}

/// The entries of a map in order; what `<<` brings in gives way to what is written out, wherever it stands.
private struct MergedEntries {
    private(set) var all: [YAMLEntry] = []
    private var indices: [String: Int] = [:]
    private var merged: Set<Int> = []

    mutating func set(_ entry: YAMLEntry) {
        if let index = self.indices[entry.key.text], self.merged.remove(index) != nil {
            self.all[index] = entry
        } else {
            self.append(entry)
        }
    }

    mutating func setDefault(_ entry: YAMLEntry) {
        guard self.indices[entry.key.text] == nil else { return }
        self.merged.insert(self.all.count)
        self.append(entry)
    }

    func position(of key: String) -> SourcePosition? {
        self.indices[key].flatMap { self.merged.contains($0) ? nil : self.all[$0].position }
    }

    private mutating func append(_ entry: YAMLEntry) {
        self.indices[entry.key.text] = self.all.count
        self.all.append(entry)
    }
}

/// A step from a value to one inside it.
enum YAMLPathStep: Equatable {
    case key(String)
    case index(Int)
}

extension Node {
    /// Where the node begins; the parser gives every node a mark.
    var position: SourcePosition {
        self.mark.map(SourcePosition.init) ?? SourcePosition(line: 1, column: 1)
    }
}

extension YAMLScalar {
    init(_ scalar: Node.Scalar) {
        // Quotes make a text of anything, and so does the tag in `!!str 80`.
        let isText = scalar.tag.rawValue == Tag.Name.str.rawValue && scalar.style == .plain
        self.init(text: scalar.string, isPlain: scalar.style == .plain && !isText)
    }
}
