internal import CortexSpec

extension ModelRequest {
    /// What the listing of a source's place says about it.
    func findings(of name: String?, _ source: ModelSource, in listing: ModelCheck.Listing) -> [FieldProblem] {
        switch listing {
        case .failure(let error):
            [FieldProblem(field: source.field, message: error.description, allowed: Self.folderForm(error))]
        case .success(let objects) where name == nil: self.findings(inDirectory: objects, source)
        case .success(let objects): self.findings(objects, source.shown, source.field)
        }
    }

    /// What the place must be, where that is what is wrong.
    private static func folderForm(_ error: StorageError) -> String? {
        guard case .notFound = error else { return nil }
        return "it must be a folder: s3://bucket/folder, or a path"
    }

    /// Every model of a folder must be right; the first ten that are not are told.
    private func findings(inDirectory objects: [StoredObject], _ source: ModelSource) -> [FieldProblem] {
        let allowed = "it must hold a folder for each model"
        let children = ModelTree.children(of: objects)
        let (models, strays) = (children.models, children.strays)
        guard !models.isEmpty || !strays.isEmpty || !children.flawed.isEmpty else {
            return [FieldProblem(field: source.field, message: "\(source.shown.escaped) is empty", allowed: allowed)]
        }
        var findings: [FieldProblem] = []
        if !strays.isEmpty {
            let noun = strays.count == 1 ? "is a file" : "are files"
            findings.append(
                FieldProblem(
                    field: source.field,
                    message: "\(strays.listed) in \(source.shown.escaped) \(noun), not a model's folder",
                    allowed: allowed,
                    detail: "found:\n" + TreeDrawing.found(source.shown, objects)
                )
            )
        }
        if !children.flawed.isEmpty {
            let flaws = children.flawed.sorted { $0.key < $1.key }.compactMap(\.value.flaw)
            findings.append(
                FieldProblem(
                    field: source.field,
                    message: "\(source.shown.escaped): \(flaws.firstFew)",
                    allowed: allowed,
                    detail: "found:\n" + TreeDrawing.found(source.shown, objects)
                )
            )
        }
        if models[Self.singleName] != nil {
            findings.append(
                FieldProblem(
                    field: source.field,
                    message: "\(Self.singleName) is kept for the model of model_path",
                    allowed: "give the folder another name"
                )
            )
        }
        let ofModels = models.sorted { $0.key < $1.key }.flatMap { name, objects in
            self.findings(objects, source.shown + (source.shown.hasSuffix("/") ? "" : "/") + name + "/", source.field)
        }
        let errors = ofModels.filter { $0.severity == .error }
        findings += errors.prefix(10)
        if errors.count > 10 {
            let message = "\(errors.count - 10) more models in \(source.shown.escaped) are not valid"
            findings.append(FieldProblem(field: source.field, message: message, allowed: nil))
        }
        let warnings = ofModels.filter { $0.severity == .warning }
        findings += warnings.prefix(10)
        if warnings.count > 10 {
            let message = "the same is true of \(warnings.count - 10) more models in \(source.shown.escaped)"
            findings.append(FieldProblem(severity: .warning, field: source.field, message: message))
        }
        return findings
    }

    /// What is wrong with one model: one problem, whatever is wrong, since one drawing shows it all.
    private func findings(_ objects: [StoredObject], _ shown: String, _ field: String) -> [FieldProblem] {
        let tree = ModelTree.read(objects, kind: self.kind, shown: shown)
        var findings = tree.warnings.map { FieldProblem(severity: .warning, field: field, message: $0) }
        var flaws: [String] = []
        if let problem = tree.problem {
            flaws.append(problem)
        } else if !tree.broken.isEmpty {
            flaws.append("\(shown.escaped): \(tree.brokenInOrder.firstFew)")
        }
        if !tree.strays.isEmpty {
            let place = flaws.isEmpty ? "\(shown.escaped): " : ""
            let verb = tree.strays.count == 1 ? "stands" : "stand"
            flaws.append("\(place)\(tree.strays.listed) \(verb) beside the versions")
        }
        if !tree.flaws.isEmpty {
            flaws.append((flaws.isEmpty ? "\(shown.escaped): " : "") + tree.flaws.firstFew)
        }
        guard !flaws.isEmpty else { return findings }
        let visible = objects.filter { !$0.isHidden }
        var detail = "expected:\n" + TreeDrawing.expected(shown, self.kind)
        if !visible.isEmpty { detail += "\nfound:\n" + TreeDrawing.found(shown, visible) }
        findings.append(
            FieldProblem(
                field: field,
                message: flaws.joined(separator: ", and "),
                allowed: "it must be a folder of \(self.kind.title) versions, or one \(self.kind.title) model",
                detail: detail
            )
        )
        return findings
    }
}
