extension ModelTree {
    /// Tells which versions a listing holds, and what is wrong with it.
    ///
    /// Names that begin with `.` are no part of a model (``StoredObject/isHidden(_:)``). One bad version harms only
    /// itself; for TensorFlow and ONNX neither do names that stand beside the versions.
    /// - Parameters:
    ///   - objects: In the order of listings.
    ///   - shown: The path as the user wrote it, for messages.
    package static func read(_ objects: [StoredObject], kind: ModelKind, shown: String) -> ModelTree {
        let root = TreeLevel(objects.filter { !$0.isHidden }, below: "")
        guard !root.isEmpty else { return ModelTree(problem: "\(shown.escaped) is empty") }
        return kind == .python ? Self.readPython(root, shown: shown) : Self.readChecked(root, kind: kind, shown: shown)
    }

    /// The models of a `models.dir`: by the name of its folder, what is in it, with paths that begin below the folder.
    ///
    /// - Returns: Also the names of files that stand beside the folders; in the order of listings.
    package static func children(
        of objects: [StoredObject]
    ) -> (models: [String: [StoredObject]], strays: [String]) {
        let root = TreeLevel(objects.filter { !$0.isHidden }, below: "")
        let models = root.folders.mapValues { folder in
            folder.map { $0.relative(dropping: $0.firstName(after: 0).utf8.count + 1) }
        }
        return (models, root.files.map(\.path))
    }

    /// Python models may hold anything: versioned where there is nothing but versions, else one model as a whole.
    private static func readPython(_ root: TreeLevel, shown: String) -> ModelTree {
        var tree = ModelTree()
        for file in root.files {
            guard let version = ModelVersion(folderName: file.path) else { continue }
            tree.broken[version] = "version \(version) is a file, not a folder"
        }
        let names = root.folders.keys.filter { ModelVersion(folderName: $0) != nil }
        let others = root.names.filter { ModelVersion(folderName: $0) == nil }
        if others.isEmpty {
            for name in names {
                guard let version = ModelVersion(folderName: name), tree.broken[version] == nil else { continue }
                tree.versions[version] = VersionTree(prefix: "\(name)/", objects: root.folders[name] ?? [])
            }
        } else if tree.broken.isEmpty {
            tree.versions[.unversioned] = VersionTree(prefix: "", objects: root.objects)
            if !names.isEmpty {
                tree.warnings.append(
                    "\(shown.escaped) holds \(others.listed) beside \(names.inNumberOrder.listed), so that it is one "
                        + "model without versions, not one for each number"
                )
            }
        }
        if tree.versions.isEmpty {
            let files = tree.broken.keys.sorted().map(\.description)
            let noun = files.count == 1 ? "is a file" : "are files"
            tree.problem = "\(shown.escaped): \(files.listed) \(noun), and a number is the name of a version's folder"
        }
        return tree
    }

    /// Models whose files are known: what has no version in it is one version itself.
    private static func readChecked(_ root: TreeLevel, kind: ModelKind, shown: String) -> ModelTree {
        var tree = ModelTree()
        let names = root.folders.keys.filter { ModelVersion(folderName: $0) != nil }
        guard !names.isEmpty else {
            if let flaw = kind.flaw(of: root) {
                tree.problem = "\(shown.escaped) \(flaw)"
            } else {
                tree.versions[.unversioned] = VersionTree(prefix: "", objects: root.objects)
            }
            return tree
        }
        for name in names {
            guard let version = ModelVersion(folderName: name) else { continue }
            let level = root.folder(name)
            if let flaw = kind.flaw(of: level) {
                tree.broken[version] = "version \(version) \(flaw)"
            } else {
                tree.versions[version] = VersionTree(prefix: level.prefix, objects: level.objects)
            }
        }
        tree.strays = root.names.filter { ModelVersion(folderName: $0) == nil || root.folders[$0] == nil }
        if tree.versions.isEmpty {
            let all = tree.broken.sorted { $0.key < $1.key }.map(\.value)
            tree.problem = "\(shown.escaped): " + all.firstFew
        }
        return tree
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
