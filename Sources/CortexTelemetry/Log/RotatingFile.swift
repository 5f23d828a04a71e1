import CFileStatus
package import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A log file of bounded size: at `limit` bytes it becomes `<path>.1`, older ones move up, the oldest goes.
///
/// What is appended before `close` is on its way to the disk when `append` returns; a write that fails (a full disk) is
/// counted and dropped, since a log must never stop what it tells of.
package actor RotatingFile {
    package nonisolated let path: String
    private let limit: Int
    private let generations: Int
    private var descriptor: Int32
    private var size: Int
    /// Its last line has no end: what comes next must not be glued to it.
    private var isTorn: Bool
    /// Bytes that could not be written.
    private(set) package var lost: Int = 0

    /// - Parameters:
    ///   - limit: Bytes of one file; 16 MiB by default.
    ///   - generations: Files kept beside the current one.
    package init(path: String, limit: Int = 16 << 20, generations: Int = 4) {
        self.path = path
        self.limit = limit
        self.generations = generations
        self.descriptor = Self.open(path)
        self.size = Self.size(of: self.descriptor)
        self.isTorn = Self.endsAmidLine(path, size: self.size)
    }

    isolated deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    package func append(_ buffer: ByteBuffer) {
        if self.size > 0, self.size + buffer.readableBytes > self.limit { self.rotate() }
        // The file may have been moved away by a tool, or its folder removed and made again: try once more.
        if self.descriptor < 0 { self.descriptor = Self.open(self.path) }
        guard self.descriptor >= 0 else {
            self.lost += buffer.readableBytes
            return
        }
        if self.isTorn {
            guard self.write(ByteBuffer(string: "\n")) else {
                self.lost += buffer.readableBytes
                return
            }
            self.isTorn = false
        }
        if !self.write(buffer) { self.isTorn = Self.endsAmidLine(self.path, size: self.size) }
    }

    /// False where not all could be written.
    private func write(_ buffer: ByteBuffer) -> Bool {
        buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes
            while let base = rest.baseAddress, !rest.isEmpty {
                let written = Self.write(self.descriptor, base, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    self.lost += rest.count
                    LogSpace.failed(self.path, errno)
                    return false
                }
                self.size += written
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
            LogSpace.succeeded(self.path)
            return true
        }
    }

    private func rotate() {
        if self.descriptor >= 0 { close(self.descriptor) }
        for generation in stride(from: self.generations - 1, through: 1, by: -1) {
            rename("\(self.path).\(generation)", "\(self.path).\(generation + 1)")
        }
        rename(self.path, "\(self.path).1")
        self.descriptor = Self.open(self.path)
        self.size = Self.size(of: self.descriptor)
        self.isTorn = false
    }

    /// What a full disk, or an end amid a write, has left.
    private static func endsAmidLine(_ path: String, size: Int) -> Bool {
        guard size > 0 else { return false }
        #if canImport(Darwin)
        let descriptor = Darwin.open(path, O_RDONLY | O_CLOEXEC)
        #else
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        #endif
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var last: UInt8 = 0x0A
        return pread(descriptor, &last, 1, off_t(size - 1)) == 1 && last != 0x0A
    }

    private static func write(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Darwin)
        Darwin.write(descriptor, base, count)
        #else
        Glibc.write(descriptor, base, count)
        #endif
    }

    private static func open(_ path: String) -> Int32 {
        #if canImport(Darwin)
        Darwin.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #else
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #endif
    }

    private static func size(of descriptor: Int32) -> Int {
        var status = FileStatus()
        return cortex_fstat(descriptor, &status) == 0 ? Int(status.size) : 0
    }
}
