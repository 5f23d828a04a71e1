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
        buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes
            while let base = rest.baseAddress, !rest.isEmpty {
                let written = write(self.descriptor, base, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    self.lost += rest.count
                    return
                }
                self.size += written
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
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
    }

    private static func open(_ path: String) -> Int32 {
        #if canImport(Darwin)
        Darwin.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #else
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #endif
    }

    private static func size(of descriptor: Int32) -> Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }
}
