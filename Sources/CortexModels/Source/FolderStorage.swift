/// Model sources that are folders of this machine.
///
/// Names that begin with `.` are left out (``StoredObject/isHidden(_:)``). Links are followed where they stay in the
/// folder; one that leads out of it, a device, a folder that may not be read is listed with what is wrong
/// (``StoredObject/flaw``).
package struct FolderStorage: ObjectStorage {
    package init() {}

    @concurrent
    package func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject] {
        var walk = FolderWalk(root: try Self.root(of: location), limit: limit)
        try walk.run()
        return walk.objects.sorted(by: StoredObject.isOrdered)
    }

    package func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError) {
        try await TransferThread.run { cancellation throws(StorageError) in
            let root = try Self.root(of: location)
            var done: Int64 = 0
            for object in objects {
                guard !cancellation.isCancelled else { throw .cancelled }
                let target = object.relative(dropping: prefix.utf8.count).path
                try FileCopy.makeFolders(of: target, in: folder)
                let copy = FileCopy(object: object, root: root, target: "\(folder)/\(target)")
                let before = done
                try copy.run(cancellation) { progress(before + $0) }
                done += object.size
            }
        }
    }

    /// The folder without links in its path.
    private static func root(of location: ModelLocation) throws(StorageError) -> String {
        switch location {
        case .folder(let path): try LocalPath.resolvedFolder(path)
        case .remote(let remote): throw .unsupported("\(remote.url.escaped) is not a folder of this machine")
        }
    }
}
