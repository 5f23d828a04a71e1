/// Reads one item of the file: an API or a splitter.
struct ResourceReader {
    private let item: YAMLNode
    private let index: Int
    private let log: ProblemLog
    private let context: ReadingContext

    init(_ item: YAMLNode, index: Int, log: ProblemLog, context: ReadingContext) {
        self.item = item
        self.index = index
        self.log = log
        self.context = context
    }

    /// Adds what the item asks for; nothing where it has a problem that leaves no spec.
    func read(into config: inout ConfigFile) {
        guard let entries = self.item.entries else { return }
        let api = self.item.apiLabel(index: self.index)
        let section = Section(entries, at: self.item.position, path: "", api: api, log: self.log)
        let context = self.context
        let name = self.name(section)
        switch self.kind(section) {
        case .realtime:
            let spec = RealtimeReader(section, context).read(name: name)
            section.finish()
            if let spec { config.apis.append(spec) }
        case .trafficSplitter:
            let spec = TrafficSplitterReader(section, context).read(name: name)
            section.finish()
            if let spec { config.splitters.append(spec) }
        case nil:
            // Nearly every item is one, so its problems are worth telling even where the kind is not right.
            let isOtherVersion = ["handler", "pod", "definition", "apis"].contains(where: section.has)
            if section.has("predictor"), !isOtherVersion {
                _ = RealtimeReader(section, context).read(name: name)
                section.finish()
            }
        }
    }

    /// Has what a kind of item may hold noted.
    static func note(_ kind: APIKind, of section: Section) {
        let context = ReadingContext(features: .current, files: { [] }, project: { _ in .file })
        let item = YAMLNode(position: section.position, content: .map([]))
        let reader = ResourceReader(item, index: 0, log: section.log, context: context)
        _ = reader.name(section)
        _ = reader.kind(section)
        switch kind {
        case .realtime: _ = RealtimeReader(section, context).read(name: nil)
        case .trafficSplitter: _ = TrafficSplitterReader(section, context).read(name: nil)
        }
    }

    private func name(_ section: Section) -> APIName? {
        let allowed = "lower-case letters, digits and -, a letter first, no - last, at most 42 characters"
        section.require("name", allowed: allowed)
        section.shape?.note("name", .apiName, allowed: allowed)
        guard let text = section.text("name", allowed: allowed) else { return nil }
        guard let name = APIName(text) else {
            let lowered = String(text.lowercased().map { $0 == "_" || $0 == " " || $0 == "." ? "-" : $0 })
            let hint = APIName(lowered).map { "did you mean \($0)?" }
            section.fail("name", "\(text.quoted) is not an API name", allowed: allowed, hint: hint)
            return nil
        }
        return name
    }

    private func kind(_ section: Section) -> APIKind? {
        let allowed = "it must be \(APIKind.allCases.map(\.rawValue).alternatives)"
        section.require("kind", allowed: allowed)
        section.shape?.note("kind", ["type": "string"], allowed: allowed)
        guard let text = section.scalar("kind", allowed: allowed)?.text else { return nil }
        if let kind = APIKind(rawValue: text) { return kind }
        if let advice = Self.otherKinds[text] {
            section.fail("kind", "\(text) is not deployed here", allowed: advice)
            return nil
        }
        let nearest =
            Suggestion.nearest(to: text, among: APIKind.allCases.map(\.rawValue))
            ?? APIKind.allCases.map(\.rawValue).first { $0.lowercased().hasPrefix(text.lowercased()) }
        section.fail("kind", "is \(text.quoted)", allowed: allowed, hint: nearest.map { "did you mean \($0)?" })
        return nil
    }

    /// Kinds of other Cortex versions, and what to do with them.
    private static let otherKinds = [
        "BatchAPI": "a RealtimeAPI can be asked item by item",
        "AsyncAPI": "a RealtimeAPI answers each request in its own response",
        "TaskAPI": "run a task as a script, or put it behind a RealtimeAPI",
        "SyncAPI": "it is called RealtimeAPI now",
        "APISplitter": "it is called TrafficSplitter now",
        "api": "it is called RealtimeAPI now",
        "deployment": "remove it: every item of the file is an API",
    ]
}

/// What readers of sections need beside the section.
struct ReadingContext {
    let features: ReleaseFeatures
    /// All paths of the project.
    let files: () -> [String]
    let project: (String) -> ProjectEntry

    func isPending(_ feature: ReleaseFeatures.Feature) -> Bool { self.features.pending.contains(feature) }

    /// Tells that a key is given which this release does nothing with yet.
    func require(_ feature: ReleaseFeatures.Feature, _ key: String, of section: Section, value: String? = nil) {
        if value == nil, self.isPending(feature) { section.shape?.notePending(key) }
        guard self.isPending(feature), section.has(key) else { return }
        let message = value.map { "\($0) is not supported yet" } ?? "is not supported yet"
        section.fail(key, message, allowed: value == nil ? "remove the key" : nil)
    }
}
