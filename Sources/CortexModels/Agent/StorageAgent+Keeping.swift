import CortexWire

/// Files of this machine's, kept in a store.
extension StorageAgent {
    /// Puts a file there, under `path` below the root: it appears when all of it has come, in place of one with this name.
    package func put(_ file: String, as path: String, at location: ModelLocation) async throws(StorageError) {
        let remote = try Self.remote(location)
        _ = try await self.ask { id in
            [
                try Frame(
                    .put,
                    id: id,
                    json: PutMessage(url: remote.url, options: remote.options, path: path, file: file)
                )
            ]
        }
    }

    /// The object of this name below the root; nil where there is none.
    package func find(_ path: String, at location: ModelLocation) async throws(StorageError) -> StoredObject? {
        let remote = try Self.remote(location)
        return try await self.ask { id in
            [try Frame(.find, id: id, json: FindMessage(url: remote.url, options: remote.options, path: path))]
        }.first
    }

    /// Removes objects below the root; what is not there is no failure.
    package func remove(_ paths: [String], at location: ModelLocation) async throws(StorageError) {
        let remote = try Self.remote(location)
        // Names of some hundred bytes: far below the bound of a frame.
        for start in stride(from: 0, to: paths.count, by: 1000) {
            let part = Array(paths[start..<min(start + 1000, paths.count)])
            _ = try await self.ask { id in
                [try Frame(.remove, id: id, json: RemoveMessage(url: remote.url, options: remote.options, paths: part))]
            }
        }
    }
}
