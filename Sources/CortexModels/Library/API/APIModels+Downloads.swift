internal import Logging

extension APIModels {
    /// Brings what is planned; returns when it is there, or has failed.
    ///
    /// - Parameter isDue: Passes over what is to wait.
    func downloadAll(_ progress: DownloadProgress, where isDue: (DiskSlots.Key) -> Bool = { _ in true }) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            while true {
                while running < Self.downloads, !Task.isCancelled, let key = self.plan.next(where: isDue) {
                    running += 1
                    group.addTask { await self.download(key, progress) }
                }
                guard running > 0 else { return }
                await group.next()
                running -= 1
            }
        }
    }

    /// Brings a version to disk and offers it.
    func download(_ key: DiskSlots.Key, _ progress: DownloadProgress? = nil) async {
        defer { self.plan.ended(key) }
        guard self.stage != .closed, self.isWanted(key) else { return }
        let item: StoreItem
        do throws(StorageError) {
            guard let found = try self.index.item(key.model, key.version) else { return }
            item = found
        } catch {
            return self.plan.failed(key, error, now: self.time.elapsed(), jitter: .random(in: 0...1))
        }
        if !self.slots.contains(key) {
            let claim = self.store.nextID()
            self.store.claim(key.generation, by: claim)
            _ = self.slots.add(key, claim: claim)
        }
        let wait = self.store.nextID()
        self.slots.wait(for: key, id: wait, worker: nil)
        let size = item.objects.reduce(0) { $0 + $1.size }
        let result = await self.gate.run {
            await self.bring(item) { progress?.came($0, of: size, model: key.model, version: key.version) }
        }
        progress?.finished()
        _ = self.slots.endWait(for: key, id: wait, worker: nil)
        switch result {
        case .success:
            self.slots.arrived(key)
            self.plan.succeeded(key)
            if self.isWanted(key), let entry = self.index.models[key.model]?.versions[key.version]?.entry {
                var versions = self.catalog.models[key.model]?.versions ?? [:]
                versions[key.version] = entry
                self.offer(versions, of: key.model)
            } else if let slot = self.slots.free(key) {
                self.trash += self.unclaim([slot])
            }
        case .failure(let error):
            self.failed(key, error)
        case nil:
            self.failed(key, .cancelled)
        }
    }

    private func failed(_ key: DiskSlots.Key, _ error: StorageError) {
        if let slot = self.slots.free(key) { self.trash += self.unclaim([slot]) }
        guard error != .cancelled, self.isWanted(key) else { return }
        self.plan.failed(key, error, now: self.time.elapsed(), jitter: .random(in: 0...1))
        self.lookAgain(after: error, at: key.model)
        self.logger.warning(
            "model was not downloaded",
            metadata: ["model": "\(key.model)", "version": "\(key.version)", "error": "\(error)"]
        )
    }

    func isWanted(_ key: DiskSlots.Key) -> Bool {
        self.index.models[key.model]?.versions[key.version]?.generation == key.generation
    }

    /// Where the source is not as it was listed, the next listing is not waited for.
    func lookAgain(after error: StorageError, at model: String) {
        switch error {
        case .changed, .notFound:
            if let source = self.index.models[model]?.source { self.watches[source].hurry() }
        default:
            break
        }
    }

    func bring(
        _ item: StoreItem,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async -> Result<String, StorageError> {
        do throws(StorageError) {
            return .success(try await self.store.bring(item, progress: progress))
        } catch {
            return .failure(error)
        }
    }

    /// Gives claims up; what has to be erased for that is the caller's to do.
    func unclaim(_ freed: [DiskSlots.Freed]) -> [String] {
        freed.compactMap { self.store.unclaim($0.key.generation, by: $0.claim) }
    }

    func erase(_ trash: [String]) async {
        for path in trash { await self.store.erase(path) }
    }
}
