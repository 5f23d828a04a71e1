internal import CFileStatus

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Folders of the model store on disk.
///
/// Every call blocks: but for what touches a single name, none is made on a thread of the
/// concurrency runtime.
enum DiskFolder {
    /// A call of the system that failed.
    struct Failure: Error, CustomStringConvertible {
        let operation: String
        let path: String
        let code: Int32

        init(_ operation: String, _ path: String, code: Int32 = errno) {
            self.operation = operation
            self.path = path
            self.code = code
        }

        var description: String { "cannot \(self.operation) \(self.path): \(String(cString: strerror(self.code)))" }

        /// As a failed download tells it: paths of the server's own folders are not for users.
        func storageError(_ subject: String) -> StorageError {
            self.code == ENOSPC || self.code == EDQUOT
                ? .diskFull("\(subject) does not fit on the disk of the server; make room, or set a disk_cache_size")
                : .failed("\(subject) could not be stored: \(String(cString: strerror(self.code)))")
        }
    }

    static func make(_ path: String) throws(Failure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure("create", path) }
    }

    /// The names in a folder, without `.` and `..`.
    static func names(in path: String) throws(Failure) -> [String] {
        guard let stream = opendir(path) else { throw Failure("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Renames, onto nothing or an empty folder.
    static func move(_ source: String, to target: String) throws(Failure) {
        guard rename(source, target) == 0 else { throw Failure("move \(source) to", target) }
    }

    /// Removes a file or a folder and all in it, also where it is read-only; what is not there is removed already.
    static func remove(_ path: String) throws(Failure) {
        guard let isFolder = try Self.isFolder(path) else { return }
        guard isFolder else {
            guard unlink(path) == 0 || errno == ENOENT else { throw Failure("remove", path) }
            return
        }
        // Names can only be taken out of a folder that may be written.
        _ = chmod(path, 0o700)
        for name in try Self.names(in: path) { try Self.remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw Failure("remove", path) }
    }

    /// Takes everybody's right to write from a folder and all in it.
    static func protect(_ path: String) throws(Failure) {
        guard let isFolder = try Self.isFolder(path) else { throw Failure("protect", path, code: ENOENT) }
        if isFolder {
            for name in try Self.names(in: path) { try Self.protect("\(path)/\(name)") }
        }
        guard chmod(path, isFolder ? 0o555 : 0o444) == 0 else { throw Failure("protect", path) }
    }

    /// Returns when the disk has a folder and all in it.
    static func synchronise(_ path: String) throws(Failure) {
        if try Self.isFolder(path) == true {
            for name in try Self.names(in: path) { try Self.synchronise("\(path)/\(name)") }
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("open", path) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure("write", path) }
    }

    /// Writes a file that is there whole or not at all, whatever happens to the machine.
    static func write(_ data: Data, to path: String) throws {
        let temporary = "\(path).new"
        do {
            try data.write(to: URL(filePath: temporary))
            guard chmod(temporary, 0o600) == 0 else { throw Failure("protect", temporary) }
            try Self.synchronise(temporary)
            try Self.move(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Says that a file is in use, by its time of modification.
    static func touch(_ path: String) {
        utimensat(AT_FDCWD, path, nil, 0)
    }

    /// Unix milliseconds; nil where there is no such file.
    static func modified(_ path: String) -> Int64? {
        var status = FileStatus()
        guard cortex_stat(path, &status) == 0 else { return nil }
        return status.seconds * 1000 + status.nanoseconds / 1_000_000
    }

    /// Bytes of a file; nil where there is no such file.
    static func size(_ path: String) -> Int64? {
        var status = FileStatus()
        guard cortex_lstat(path, &status) == 0, status.mode & S_IFMT == S_IFREG else { return nil }
        return status.size
    }

    /// Nil where there is nothing of the name; links count as files.
    private static func isFolder(_ path: String) throws(Failure) -> Bool? {
        var status = FileStatus()
        guard cortex_lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw Failure("look at", path) }
            return nil
        }
        return status.mode & S_IFMT == S_IFDIR
    }
}
