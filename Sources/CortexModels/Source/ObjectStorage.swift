/// Lists model sources and fetches from them.
package protocol ObjectStorage: Sendable {
    /// All objects below the root, in the order of ``StoredObject/isOrdered(_:_:)``.
    ///
    /// A root that is there and holds nothing gives an empty list.
    /// - Throws: ``StorageError/tooMany(_:)`` where there are more than `limit`.
    func list(_ location: ModelLocation, limit: Int) async throws(StorageError) -> [StoredObject]

    /// Brings objects into an empty folder that the caller has made, under their paths less `prefix`.
    ///
    /// Every object has the size and tag that it was listed with, else this throws ``StorageError/changed(_:)`` or
    /// ``StorageError/truncated(_:)``. After a failure partial files may be in `folder`; the caller removes them.
    /// Cancelling the task cancels the transfer.
    /// - Parameters:
    ///   - prefix: The paths of all `objects` begin with it; empty, or ends in `/`.
    ///   - progress: Gets the bytes that have come so far, now and then.
    func fetch(
        _ objects: [StoredObject],
        of location: ModelLocation,
        dropping prefix: String,
        into folder: String,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws(StorageError)
}
