extension APIModels {
    /// Brings a version to disk where it is not there, and leases it to a worker: it stays until the worker gives it up.
    ///
    /// Calls for the same version share one download, which ends when all of them are cancelled.
    /// - Parameters:
    ///   - generation: As in the catalog that the worker has.
    ///   - worker: Names a process: no two of them, at any time, have the same name.
    /// - Returns: The folder of the version's files, whose last name is the version.
    package func ensure(
        _ model: String,
        _ version: ModelVersion,
        generation: String,
        worker: String
    ) async throws(ModelError) -> String {
        if case .closed = self.stage { throw .cancelled }
        let key = DiskSlots.Key(model: model, version: version, generation: generation)
        if self.slots.isOnDisk(key) {
            self.slots.lease(key, to: worker)
            return self.store.folder(of: generation, version: version)
        }
        guard let item = try self.item(key) else {
            throw .notFound("model \(model.escaped) has no version \(version) with this content any more")
        }
        var trash: [String] = []
        if !self.slots.contains(key) {
            let claim = self.store.nextID()
            self.store.claim(generation, by: claim)
            trash = self.evict(self.slots.add(key, claim: claim))
        }
        let wait = self.store.nextID()
        self.slots.wait(for: key, id: wait, worker: worker)
        await self.erase(trash)
        let result = await self.bring(item)
        let isWanted = self.slots.endWait(for: key, id: wait, worker: worker)
        switch result {
        case .success(let folder):
            self.misses[key] = nil
            // Else the place may have been given up meanwhile, and be another's.
            if isWanted {
                self.slots.arrived(key)
                self.slots.lease(key, to: worker)
            }
            await self.tidy([key])
            guard isWanted else { throw .cancelled }
            return folder
        case .failure(let error):
            if !self.slots.isOnDisk(key) { await self.erase(self.unclaim(self.slots.free(key).map { [$0] } ?? [])) }
            throw self.error(error, of: key)
        }
    }

    /// Ends a lease; one that is not there has ended already.
    package func release(_ model: String, _ version: ModelVersion, generation: String, worker: String) async {
        let key = DiskSlots.Key(model: model, version: version, generation: generation)
        self.slots.release(key, by: worker)
        await self.tidy([key])
    }

    /// Ends all leases of a worker, and what it waits for.
    package func workerEnded(_ worker: String) async {
        await self.tidy(self.slots.workerEnded(worker))
    }

    /// What of the catalog is on disk, through an earlier server or another API; the least recently needed first.
    func inheritance() -> [DiskSlots.Key] {
        var found: [(key: DiskSlots.Key, used: Int64)] = []
        for (name, model) in self.catalog.models {
            for (version, entry) in model.versions {
                guard let used = self.store.lastNeeded(entry.generation) else { continue }
                found.append((DiskSlots.Key(model: name, version: version, generation: entry.generation), used))
            }
        }
        return found.sorted { $0.used < $1.used }.map(\.key)
    }

    /// Takes over what is on disk, up to the limit: it counts like what comes now.
    func takeOver(_ keys: [DiskSlots.Key]) async {
        var freed: [DiskSlots.Freed] = []
        for key in keys {
            let claim = self.store.nextID()
            guard self.store.claim(key.generation, by: claim) else {
                // An API that ends has given it up since it was found.
                freed.append(DiskSlots.Freed(key: key, claim: claim))
                continue
            }
            freed += self.slots.add(key, claim: claim)
            self.slots.arrived(key)
        }
        await self.erase(self.unclaim(freed))
    }

    /// Frees what a lease has held until now, where it has no other reason to stay.
    private func tidy(_ keys: [DiskSlots.Key]) async {
        var freed: [DiskSlots.Freed] = []
        for key in keys where !self.catalog.has(key.model, key.version, generation: key.generation) {
            if let slot = self.slots.free(key) { freed.append(slot) }
        }
        freed += self.slots.makeRoom()
        await self.erase(self.evict(freed))
    }

    /// Gives slots up; versions that their source has no more, or only broken, cannot come back and are offered no more.
    private func evict(_ freed: [DiskSlots.Freed]) -> [String] {
        for slot in freed {
            let (model, version, generation) = (slot.key.model, slot.key.version, slot.key.generation)
            guard self.catalog.has(model, version, generation: generation),
                self.index.models[model]?.versions[version]?.generation != generation
            else { continue }
            var versions = self.catalog.models[model]?.versions ?? [:]
            versions[version] = nil
            self.offer(versions, of: model)
            self.wake()
        }
        return self.unclaim(freed)
    }

    /// What to bring for a version that workers may ask for; nil where they may not.
    private func item(_ key: DiskSlots.Key) throws(ModelError) -> StoreItem? {
        guard self.catalog.has(key.model, key.version, generation: key.generation),
            self.index.models[key.model]?.versions[key.version]?.generation == key.generation
        else { return nil }
        do throws(StorageError) {
            return try self.index.item(key.model, key.version)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func error(_ error: StorageError, of key: DiskSlots.Key) -> ModelError {
        if case .cancelled = error { return .cancelled }
        self.lookAgain(after: error, at: key.model)
        guard self.catalog.has(key.model, key.version, generation: key.generation) else {
            return .notFound("model \(key.model.escaped) has no version \(key.version) with this content any more")
        }
        self.misses[key] = error
        return .unavailable("\(error)")
    }
}
