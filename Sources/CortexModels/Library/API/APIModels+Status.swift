extension APIModels {
    /// Every version that is offered, wanted or broken, and models that have none; by name and version.
    package func status() -> [ModelStatus] {
        let names = Set(self.index.models.keys).union(self.catalog.models.keys)
        return names.sorted().flatMap(self.status)
    }

    /// What is wrong with the sources as a whole: those that cannot be listed, what does not belong there or cannot be read.
    package func troubles() -> [String] {
        var troubles: [String] = []
        for (number, watch) in self.watches.enumerated() {
            if let error = watch.snapshot.error { troubles.append("\(error)") }
            if let strays = self.index.strays[number], !strays.isEmpty {
                let verb = strays.count == 1 ? "is no model's folder" : "are no models' folders"
                troubles.append("\(self.request.sources[number].source.shown.escaped): \(strays.listed) \(verb)")
            }
            if let flaws = self.index.flaws[number], !flaws.isEmpty { troubles.append(flaws.firstFew) }
        }
        for (_, model) in self.index.models.sorted(by: { $0.key < $1.key }) {
            troubles += model.warnings
            if !model.flaws.isEmpty { troubles.append(model.flaws.firstFew) }
        }
        return troubles
    }

    /// Why a model has no version to offer; nil where it has one.
    func problem(of name: String) -> String? {
        guard self.catalog.models[name] == nil else { return nil }
        let model = self.index.models[name]
        let reason = model?.problem ?? self.plan.failure(of: name).map { "\($0)" } ?? "there is nothing"
        return name == ModelRequest.singleName ? reason : "\(name.escaped): \(reason)"
    }

    private func status(of name: String) -> [ModelStatus] {
        let model = self.index.models[name]
        let offered = self.catalog.models[name]?.versions ?? [:]
        let latest = offered.keys.max()
        var versions = Set(offered.keys)
        if let model { versions.formUnion(model.versions.keys) }
        if let model { versions.formUnion(model.broken.keys) }
        guard !versions.isEmpty else {
            return [ModelStatus(model: name, error: self.problem(of: name))]
        }
        return versions.sorted().map { version in
            let found = model?.versions[version]
            let entry = offered[version] ?? found?.entry
            let key = entry.map { DiskSlots.Key(model: name, version: version, generation: $0.generation) }
            let wanted = found.map { DiskSlots.Key(model: name, version: version, generation: $0.generation) }
            let error =
                model?.broken[version] ?? wanted.flatMap { self.plan.failure($0)?.error ?? self.misses[$0] }.map {
                    "\($0)"
                }
                ?? (found == nil ? model?.problem : nil)
            return ModelStatus(
                model: name,
                version: version,
                generation: entry?.generation,
                modified: entry?.modified,
                size: entry?.size,
                isOnDisk: key.map { self.slots.isOnDisk($0) || self.store.isWhole($0.generation) } ?? false,
                isLatest: version == latest,
                error: error
            )
        }
    }
}
