extension ModelTree {
    /// Tells which versions a listing holds, and what is wrong with it.
    ///
    /// Names that begin with `.` are no part of a model (``StoredObject/isHidden(_:)``). One bad version harms only
    /// itself, and so does what is flawed in it; for TensorFlow and ONNX neither do names that stand beside the versions.
    /// What is flawed (``StoredObject/flaw``) elsewhere is the problem of a model without versions, and of no other.
    /// - Parameters:
    ///   - objects: In the order of listings.
    ///   - shown: The path as the user wrote it, for messages.
    ///   - keepsVersions: For Python: whether the model has had versions. Then a name that appears beside them (an upload that
    ///     will be renamed, a note) does not make it a model without.
    package static func read(
        _ objects: [StoredObject],
        kind: ModelKind,
        shown: String,
        keepsVersions: Bool = false
    ) -> ModelTree {
        let root = TreeLevel(objects.filter { !$0.isHidden }, below: "")
        guard !root.isEmpty else { return ModelTree(problem: "\(shown.escaped) is empty") }
        return kind == .python
            ? Self.readPython(root, shown: shown, keepsVersions: keepsVersions)
            : Self.readChecked(root, kind: kind, shown: shown)
    }

    /// What a `models.dir` holds.
    package struct Children {
        /// By the name of its folder, what is in it, with paths that begin below the folder.
        package var models: [String: [StoredObject]]
        /// Names of files that stand beside the folders; in the order of listings.
        package var strays: [String]
        /// What stands there and could not be read, whatever it is; by their names.
        package var flawed: [String: StoredObject]
    }

    package static func children(of objects: [StoredObject]) -> Children {
        let root = TreeLevel(objects.filter { !$0.isHidden }, below: "")
        let models = root.folders.mapValues { folder in
            folder.map { $0.relative(dropping: $0.firstName(after: 0).utf8.count + 1) }
        }
        let flawed = root.files.filter { $0.flaw != nil }
        return Children(
            models: models,
            strays: root.files.filter { $0.flaw == nil }.map(\.path),
            flawed: Dictionary(flawed.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        )
    }

    /// Python models may hold anything: versioned where there is nothing but versions, else one model as a whole.
    private static func readPython(_ root: TreeLevel, shown: String, keepsVersions: Bool) -> ModelTree {
        var tree = ModelTree()
        for file in root.files {
            guard let version = ModelVersion(folderName: file.path) else { continue }
            tree.broken[version] = Self.broken(version, file.flaw) ?? "version \(version) is a file, not a folder"
        }
        let names = root.folders.keys.filter { ModelVersion(folderName: $0) != nil }
        let others = root.othersBesideVersions
        if keepsVersions ? !names.isEmpty : others.isEmpty && !(names.isEmpty && tree.broken.isEmpty) {
            if !others.isEmpty {
                let verb = others.count == 1 ? "stands" : "stand"
                tree.warnings.append(
                    "\(shown.escaped): \(others.listed) \(verb) beside the versions, and is no part of them"
                )
            }
            for name in names {
                guard let version = ModelVersion(folderName: name), tree.broken[version] == nil else { continue }
                let level = root.folder(name)
                tree.broken[version] = Self.broken(version, level.flaw)
                if tree.broken[version] == nil {
                    tree.versions[version] = VersionTree(prefix: level.prefix, objects: level.objects)
                }
            }
            tree.flaws = root.flawsBesideVersions
        } else if let flaw = root.flaw {
            return ModelTree(problem: "\(shown.escaped): \(flaw)")
        } else if tree.broken.isEmpty {
            tree.versions[.unversioned] = VersionTree(prefix: "", objects: root.objects)
            if !names.isEmpty {
                tree.warnings.append(
                    "\(shown.escaped) holds \(others.listed) beside \(names.inNumberOrder.listed), so that it is one "
                        + "model without versions, not one for each number"
                )
            }
        }
        guard tree.versions.isEmpty else { return tree }
        if root.flaw == nil {
            let files = tree.broken.keys.sorted().map(\.description)
            let noun = files.count == 1 ? "is a file" : "are files"
            tree.problem = "\(shown.escaped): \(files.listed) \(noun), and a number is the name of a version's folder"
        } else {
            tree.problem = "\(shown.escaped): \(tree.brokenInOrder.firstFew)"
        }
        return tree
    }

    /// Models whose files are known: what has no version in it is one version itself.
    private static func readChecked(_ root: TreeLevel, kind: ModelKind, shown: String) -> ModelTree {
        var tree = ModelTree()
        for file in root.files where file.flaw != nil {
            guard let version = ModelVersion(folderName: file.path) else { continue }
            tree.broken[version] = Self.broken(version, file.flaw)
        }
        let names = root.folders.keys.filter { ModelVersion(folderName: $0) != nil }
        let others = root.othersBesideVersions
        guard !names.isEmpty || !tree.broken.isEmpty && others.isEmpty else {
            // A flawed entry in one model is no version, whatever its name.
            tree.broken = [:]
            if let flaw = root.flaw {
                tree.problem = "\(shown.escaped): \(flaw)"
            } else if let flaw = kind.flaw(of: root) {
                tree.problem = "\(shown.escaped) \(flaw)"
            } else {
                tree.versions[.unversioned] = VersionTree(prefix: "", objects: root.objects)
            }
            return tree
        }
        for name in names {
            guard let version = ModelVersion(folderName: name), tree.broken[version] == nil else { continue }
            let level = root.folder(name)
            if let broken = Self.broken(version, level.flaw) {
                tree.broken[version] = broken
            } else if let flaw = kind.flaw(of: level) {
                tree.broken[version] = "version \(version) \(flaw)"
            } else {
                tree.versions[version] = VersionTree(prefix: level.prefix, objects: level.objects)
            }
        }
        let files = root.files.filter { $0.flaw == nil && ModelVersion(folderName: $0.path) != nil }.map(\.path)
        tree.strays = others + files.filter { root.folders[$0] == nil }
        tree.flaws = root.flawsBesideVersions
        if tree.versions.isEmpty {
            tree.problem = "\(shown.escaped): \(tree.brokenInOrder.firstFew)"
        }
        return tree
    }

    private static func broken(_ version: ModelVersion, _ flaw: String?) -> String? {
        flaw.map { "version \(version) cannot be served: \($0)" }
    }

    /// What is wrong with each broken version.
    var brokenInOrder: [String] { self.broken.sorted { $0.key < $1.key }.map(\.value) }
}

extension TreeLevel {
    /// Names that are no version's, but for those of flawed entries.
    fileprivate var othersBesideVersions: [String] {
        let flawed = Set(self.files.filter { $0.flaw != nil }.map(\.path))
        let sound = Set(self.files.filter { $0.flaw == nil }.map(\.path))
        return self.names.filter { name in
            ModelVersion(folderName: name) == nil
                && (!flawed.contains(name) || sound.contains(name) || self.folders[name] != nil)
        }
    }

    fileprivate var flawsBesideVersions: [String] {
        self.files.filter { ModelVersion(folderName: $0.path) == nil }.compactMap(\.flaw)
    }
}

extension [String] {
    /// `a, b and c`, at most five of them.
    var listed: String {
        let names = self.prefix(self.count > 5 ? 4 : 5).map(\.escaped)
        if self.count > 5 { return names.joined(separator: ", ") + " and \(self.count - 4) more" }
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }

    /// Sentences side by side, at most three of them.
    var firstFew: String {
        self.prefix(3).joined(separator: ", ") + (self.count > 3 ? ", and \(self.count - 3) more" : "")
    }

    fileprivate var inNumberOrder: [String] {
        self.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }
}
