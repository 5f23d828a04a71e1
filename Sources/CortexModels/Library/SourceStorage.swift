/// Both kinds of storage as one: folders of this machine, and stores that the agent reaches.
struct SourceStorage: ObjectStorage {
    let local: any ObjectStorage
    let remote: any ObjectStorage

    func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject] {
        try await self.storage(of: location).list(location, limit: limit)
    }

    func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError) {
        let storage = self.storage(of: location)
        try await storage.fetch(objects, of: location, dropping: prefix, into: folder, progress: progress)
    }

    private func storage(of location: ModelLocation) -> any ObjectStorage {
        switch location {
        case .folder: self.local
        case .remote: self.remote
        }
    }
}
