/// A map of the file while it is read: gives its values typed, and tells what is wrong with them.
///
/// Every method that takes a key marks it as known; ``finish()`` then tells the keys that nobody asked for. A value that
/// is wrong is told once and then counts as not given.
final class Section {
    let log: ProblemLog
    let api: String
    /// Dotted path below the API; empty for the API itself.
    let path: String
    let position: SourcePosition
    private let entries: [String: YAMLEntry]
    private let order: [String]
    private var known: Set<String> = []
    private var required: Set<String> = []
    /// Where what is asked for is noted; nil while a file is read.
    let shape: SectionShape?

    init(_ entries: [YAMLEntry], at position: SourcePosition, path: String, api: String, log: ProblemLog) {
        self.log = log
        self.api = api
        self.path = path
        self.position = position
        self.entries = Dictionary(entries.map { ($0.key.text, $0) }, uniquingKeysWith: { _, last in last })
        self.order = entries.map(\.key.text)
        self.shape = nil
    }

    /// A section with nothing in it, which notes what it is asked for.
    init(noting shape: SectionShape) {
        self.log = ProblemLog(file: "")
        self.api = ""
        self.path = ""
        self.position = SourcePosition(line: 1, column: 1)
        self.entries = [:]
        self.order = []
        self.shape = shape
    }

    /// The entry of a key; nil where it is not given.
    func entry(_ key: String) -> YAMLEntry? {
        self.known.insert(key)
        return self.entries[key]
    }

    /// Whether a key is given, null or wrong values included.
    func has(_ key: String) -> Bool { self.entries[key] != nil }

    /// All keys, in the order of the file.
    var keys: [String] { self.order }

    /// Whether a key was asked for.
    func isKnown(_ key: String) -> Bool { self.known.contains(key) }

    /// The place of a key's value; the section's own where it is not given.
    func position(of key: String) -> SourcePosition {
        guard let entry = self.entries[key] else { return self.position }
        return entry.value.isNull ? entry.position : entry.value.position
    }

    /// The dotted path of a key.
    func field(_ key: String) -> String {
        self.path.isEmpty ? key : "\(self.path).\(key)"
    }

    /// Tells a problem of a key's value.
    func fail(_ key: String, _ message: String, allowed: String? = nil, hint: String? = nil) {
        self.log.add(
            at: self.position(of: key),
            api: self.api,
            field: self.field(key),
            message,
            allowed: allowed,
            hint: hint
        )
    }

    /// Tells that a key is kept and does nothing.
    func warn(_ key: String, _ message: String) {
        let position = self.entries[key]?.position ?? self.position
        self.log.add(.warning, at: position, api: self.api, field: self.field(key), message)
    }

    /// Tells where a key that must be given is not.
    func require(_ key: String, allowed: String) {
        self.required.insert(key)
        self.shape?.noteRequired(key)
        guard self.entry(key) == nil else { return }
        let field = self.path.isEmpty ? nil : self.path
        self.log.add(at: self.position, api: self.api, field: field, "\(key) is missing", allowed: allowed)
    }

    /// What to do about a key with nothing in it.
    func remedy(_ key: String, _ allowed: String) -> String {
        self.required.contains(key) ? allowed : "\(allowed), or remove the key"
    }

    /// Tells the keys that nobody asked for.
    func finish() {
        for key in self.order where !self.known.contains(key) {
            guard let entry = self.entries[key] else { continue }
            let advice = KeyAdvice(for: key, in: self.path, known: self.known.sorted())
            self.log.add(
                at: entry.position,
                api: self.api,
                field: self.path.isEmpty ? nil : self.path,
                advice.message,
                allowed: advice.allowed,
                hint: advice.hint
            )
        }
    }
}
