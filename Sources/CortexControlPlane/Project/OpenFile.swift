import CFileStatus

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file descriptor that is closed with its last reference.
///
/// Calls block; those to ordinary files do so for a disk access at most.
final class OpenFile: Sendable {
    private let descriptor: Int32
    /// As shown in errors.
    private let path: String

    /// Opens an existing ordinary file; a link in the last place is refused, a pipe does not block.
    init(reading path: String) throws(ProjectError) {
        self.path = path
        self.descriptor = try Self.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, "read")
    }

    /// Makes a file that is not there yet, writable by its owner.
    init(creating path: String, executable: Bool = false, isPrivate: Bool = false) throws(ProjectError) {
        self.path = path
        let mode: mode_t = isPrivate ? 0o600 : executable ? 0o755 : 0o644
        self.descriptor = try Self.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, "create")
    }

    deinit {
        // Nothing to do about a failure here: whoever must know that bytes are safe calls `synchronise`.
        _ = close(self.descriptor)
    }

    /// Fills as much of `buffer` as the file has; less only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ProjectError) -> Int {
        var filled = 0
        while filled < buffer.count, let base = buffer.baseAddress {
            #if canImport(Darwin)
            let count = Darwin.read(self.descriptor, base + filled, buffer.count - filled)
            #elseif canImport(Glibc)
            let count = Glibc.read(self.descriptor, base + filled, buffer.count - filled)
            #else
            let count = Musl.read(self.descriptor, base + filled, buffer.count - filled)
            #endif
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw .system("read", self.path)
            }
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ProjectError) {
        var written = 0
        while written < bytes.count, let base = bytes.baseAddress {
            #if canImport(Darwin)
            let count = Darwin.write(self.descriptor, base + written, bytes.count - written)
            #elseif canImport(Glibc)
            let count = Glibc.write(self.descriptor, base + written, bytes.count - written)
            #else
            let count = Musl.write(self.descriptor, base + written, bytes.count - written)
            #endif
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw .system("write", self.path)
            }
            written += count
        }
    }

    /// How many bytes the file has now.
    func size() throws(ProjectError) -> Int {
        var facts = FileStatus()
        guard cortex_fstat(self.descriptor, &facts) == 0 else { throw .system("read", self.path) }
        return Int(facts.size)
    }

    /// Returns once the bytes are on the disk.
    func synchronise() throws(ProjectError) {
        guard fsync(self.descriptor) == 0 else { throw .system("write", self.path) }
    }

    private static func open(
        _ path: String,
        _ flags: Int32,
        _ mode: mode_t,
        _ operation: String
    ) throws(ProjectError) -> Int32 {
        while true {
            #if canImport(Darwin)
            let descriptor = Darwin.open(path, flags | O_CLOEXEC, mode)
            #elseif canImport(Glibc)
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
            #else
            let descriptor = Musl.open(path, flags | O_CLOEXEC, mode)
            #endif
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw .system(operation, path) }
        }
    }
}

extension ProjectError {
    /// The error of the system call that has just failed.
    static func system(_ operation: String, _ path: String) -> ProjectError {
        let code = errno
        let reason = String(cString: strerror(code))
        guard !DiskFull.isFull(code) else { return .diskFull(operation: operation, path: path, reason: reason) }
        return .system(operation: operation, path: path, reason: reason)
    }
}
