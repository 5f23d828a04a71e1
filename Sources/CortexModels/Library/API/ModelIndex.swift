/// What the sources of an API hold, as models and versions; knows nothing of disks and downloads.
struct ModelIndex: Sendable {
    /// A version as it is in its source.
    struct Version: Hashable, Sendable {
        let generation: String
        let tree: VersionTree
        /// Bytes of its files.
        let size: Int64
        /// Unix milliseconds.
        let modified: Int64

        var entry: ModelCatalog.Version {
            ModelCatalog.Version(generation: self.generation, modified: self.modified / 1000, size: self.size)
        }
    }

    /// A model as it is in its source.
    struct Model: Sendable {
        /// Index into the API's sources.
        let source: Int
        /// Paths of the source's objects begin with it: `iris/` in a folder of models, else empty.
        let folder: String
        let objects: [StoredObject]
        let versions: [ModelVersion: Version]
        let broken: [ModelVersion: String]
        /// Why none of it can be served.
        let problem: String?
        let warnings: [String]
        /// What is wrong beside its versions, which are served nevertheless.
        let flaws: [String]

        /// The same model once there is only something flawed in its folder's place.
        func unreadable(_ object: StoredObject) -> Model {
            Model(
                source: self.source,
                folder: self.folder,
                objects: [object],
                versions: [:],
                broken: [:],
                problem: object.flaw,
                warnings: [],
                flaws: []
            )
        }

        /// Whether it is one for each number, not one as a whole.
        var hasVersions: Bool { self.versions.values.contains { !$0.tree.prefix.isEmpty } }

        /// Whether what served until now is to go on serving: there is something, but it is wrong.
        func isBroken(_ version: ModelVersion) -> Bool {
            self.broken[version] != nil || self.problem != nil && self.broken.isEmpty && !self.objects.isEmpty
        }
    }

    private let kind: ModelKind
    private let sources: [(name: String?, source: ModelSource)]
    private let sourceKeys: [String]
    private(set) var models: [String: Model] = [:]
    /// Files beside the models of a folder, which are none.
    private(set) var strays: [Int: [String]] = [:]
    /// What stands beside them and could not be read, a sentence each.
    private(set) var flaws: [Int: [String]] = [:]

    private let isOnDisk: @Sendable (_ generation: String) -> Bool

    /// - Parameter isOnDisk: Whether a content is here already.
    init(_ request: ModelRequest, isOnDisk: @escaping @Sendable (_ generation: String) -> Bool) {
        self.isOnDisk = isOnDisk
        self.kind = request.kind
        self.sources = request.sources
        self.sourceKeys = request.sources.map(\.source.location.key)
    }

    /// Takes what a source holds now; returns the names of models that are different.
    mutating func update(_ source: Int, objects: [StoredObject]) -> Set<String> {
        if let name = self.sources[source].name {
            self.models[name] = self.read(objects, of: source, folder: "")
            return [name]
        }
        let children = ModelTree.children(of: objects)
        self.strays[source] = children.strays
        self.flaws[source] = children.flawed.sorted { $0.key < $1.key }.compactMap(\.value.flaw)
        var changed: Set<String> = []
        for (name, model) in self.models where children.models[name] == nil {
            // A model whose folder cannot be read any more is not gone.
            self.models[name] = children.flawed[name].map { model.unreadable($0) }
            if model.objects != self.models[name]?.objects { changed.insert(name) }
        }
        for (name, objects) in children.models where self.models[name]?.objects != objects {
            self.models[name] = self.read(objects, of: source, folder: "\(name)/")
            changed.insert(name)
        }
        return changed
    }

    /// What to hand to the store for a version; throws where a path cannot be a file's.
    func item(_ model: String, _ number: ModelVersion) throws(StorageError) -> StoreItem? {
        guard let model = self.models[model], let version = model.versions[number] else { return nil }
        let source = self.sources[model.source].source
        var objects: [StoredObject] = []
        for object in version.tree.objects {
            let path = model.folder + object.path
            objects.append(
                try StoredObject(path: path, size: object.size, modified: object.modified, tag: object.tag)
            )
        }
        return StoreItem(
            generation: version.generation,
            location: source.location,
            objects: objects,
            prefix: model.folder + version.tree.prefix,
            version: number,
            shown: "\(self.shown(model)), version \(number)"
        )
    }

    /// The signature key of a model's source.
    func signatureKey(_ model: String) -> String? {
        self.models[model].flatMap { self.sources[$0.source].source.signatureKey }
    }

    private func read(_ objects: [StoredObject], of source: Int, folder: String) -> Model {
        let shown = Self.shown(self.sources[source].source, folder)
        // A model of a folder of models has its name in its key: the paths of its objects lack it.
        let key = folder.isEmpty ? self.sourceKeys[source] : "\(self.sourceKeys[source])/\(folder)"
        let name = self.sources[source].name ?? String(folder.dropLast())
        var tree = ModelTree.read(objects, kind: self.kind, shown: shown)
        if self.kind == .python, tree.versions.values.allSatisfy({ $0.prefix.isEmpty }) {
            let versioned = ModelTree.read(objects, kind: self.kind, shown: shown, keepsVersions: true)
            let hadVersions = self.models[name]?.hasVersions == true
            let versions = versioned.versions.values.filter { !$0.prefix.isEmpty }
            if !versions.isEmpty,
                hadVersions || versions.contains(where: { self.isOnDisk($0.generation(sourceKey: key)) })
            {
                tree = versioned
            }
        }
        return Model(
            source: source,
            folder: folder,
            objects: objects,
            versions: tree.versions.mapValues { version in
                Version(
                    generation: version.generation(sourceKey: key),
                    tree: version,
                    size: version.size,
                    modified: version.modified
                )
            },
            broken: tree.broken,
            problem: tree.problem,
            warnings: tree.warnings,
            flaws: tree.flaws
        )
    }

    private func shown(_ model: Model) -> String {
        Self.shown(self.sources[model.source].source, model.folder)
    }

    /// The path of a model as its user would write it.
    private static func shown(_ source: ModelSource, _ folder: String) -> String {
        folder.isEmpty || source.shown.hasSuffix("/") ? source.shown + folder : "\(source.shown)/\(folder)"
    }
}
