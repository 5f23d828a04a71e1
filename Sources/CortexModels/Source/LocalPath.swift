internal import CFileStatus

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Paths of this machine as its file system sees them.
enum LocalPath {
    /// The path of a folder without links in it.
    static func resolvedFolder(_ path: String) throws(StorageError) -> String {
        guard let root = Self.resolve(path) else {
            if errno == ENOENT { throw .notFound("there is no folder \(path.escaped)") }
            if errno == ENOTDIR { throw .notFound("there is no folder \(path.escaped): a part of the path is a file") }
            throw .system("open", path)
        }
        var status = FileStatus()
        guard cortex_stat(root, &status) == 0 else { throw .system("open", path) }
        guard status.kind == S_IFDIR else { throw .notFound("\(path.escaped) is not a folder") }
        return root
    }

    /// The path without links, `.` and `..`; nil where there is nothing, `errno` then tells why.
    static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        guard let text = String(validatingCString: resolved) else {
            errno = EILSEQ
            return nil
        }
        return text
    }

    /// Whether a resolved path is a resolved folder or in it.
    static func isInside(_ path: String, _ root: String) -> Bool {
        path == root || path.hasPrefix(root == "/" ? "/" : "\(root)/")
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}

extension FileStatus {
    /// The bits of the mode that tell files, folders and links apart.
    var kind: mode_t { self.mode & S_IFMT }

    /// When the content was written, in Unix milliseconds.
    var modified: Int64 { self.seconds * 1000 + self.nanoseconds / 1_000_000 }

    /// Differs for another file, and for the same once it was written again.
    var tag: String { "\(self.inode)-\(self.seconds).\(self.nanoseconds)" }
}

extension StorageError {
    /// The error of the system call that has just failed.
    ///
    /// - Parameter verb: What was to be done with the file or folder at `path`.
    static func system(_ verb: String, _ path: String) -> StorageError {
        let code = errno
        let text = "cannot \(verb) \(path.escaped): \(String(cString: strerror(code)))"
        switch code {
        case ENOENT: return .notFound(text)
        case EACCES, EPERM: return .denied("\(text); the user that the server runs as needs access to it")
        case ENOSPC, EDQUOT: return .diskFull("\(text); make room, or give cortex another CORTEX_HOME")
        case ELOOP: return .unsupported("\(text); the link leads back to itself")
        case ENAMETOOLONG, EILSEQ: return .unsupported("\(text); rename it")
        default: return .failed(text)
        }
    }
}
