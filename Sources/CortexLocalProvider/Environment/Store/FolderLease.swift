/// Keeps a folder from being removed, by any process, as long as this lives.
///
/// The folder's time of modification says when it was last used: it is that of the lease's beginning, then of its end.
package final class FolderLease: Sendable {
    private let lock: FolderLock

    /// Nil where there is no such folder, or where it is being taken away.
    init?(_ path: String) {
        guard let lock = FolderLock(.shared, on: path) else { return nil }
        lock.touch()
        self.lock = lock
    }

    deinit { self.lock.touch() }
}
