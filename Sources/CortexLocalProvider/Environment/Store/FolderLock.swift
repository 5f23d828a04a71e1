import CFileStatus
import Foundation

/// A lock on a folder itself: it needs no file of its own, and stays with the folder where that is renamed.
///
/// Held by the process: the system lets go of it however the process ends.
struct FolderLock: ~Copyable, Sendable {
    enum Kind {
        /// Beside others that share. Waits for one that has it alone, which has it for the time of a rename only.
        case shared
        /// Fails at once where anybody has it.
        case alone
    }

    private let descriptor: Int32

    /// Nil where the folder is not there, or not to be had.
    init?(_ kind: Kind, on path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard Self.lock(descriptor, kind), Self.isFolder(descriptor, at: path) else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit {
        // Not by closing alone: a child that is being started has a copy of the descriptor for a moment.
        flock(self.descriptor, LOCK_UN)
        close(self.descriptor)
    }

    /// Whether somebody has a lock on the folder.
    static func isTaken(_ path: String) -> Bool {
        guard FolderLock(.alone, on: path) == nil else { return false }
        return true
    }

    /// Makes now the folder's time of modification.
    borrowing func touch() {
        futimens(self.descriptor, nil)
    }

    private static func lock(_ descriptor: Int32, _ kind: Kind) -> Bool {
        while true {
            if flock(descriptor, kind == .shared ? LOCK_SH : LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EINTR else { return false }
        }
    }

    /// Whether `path` still means the folder that was opened: it may have been taken away before it was locked.
    private static func isFolder(_ descriptor: Int32, at path: String) -> Bool {
        var opened = FileStatus()
        var found = FileStatus()
        guard cortex_fstat(descriptor, &opened) == 0, cortex_lstat(path, &found) == 0 else { return false }
        return opened.device == found.device && opened.inode == found.inode
    }
}
