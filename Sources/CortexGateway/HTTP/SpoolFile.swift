import CortexTelemetry
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A body on its way to disk.
///
/// Writes run on the blocking threads, one after another, in the order of `append`.
final class SpoolFile: Sendable {
    let path: String
    let descriptor: CInt

    /// - Throws: `IOError` where the file cannot be made.
    init(directory: String) throws {
        let name =
            String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
        self.path = "\(directory)/\(name).body"
        self.descriptor = open(self.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard self.descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open of a spool file") }
        guard Descriptors.place(of: self.descriptor) != .last else {
            close(self.descriptor)
            unlink(self.path)
            throw IOError(errnoCode: EMFILE, reason: "open of a spool file")
        }
    }

    deinit {
        close(self.descriptor)
    }

    /// Call again only when the future of the call before has succeeded.
    func append(_ bytes: ByteBuffer, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try self.append(bytes) }
    }

    /// Blocks until the bytes are with the kernel.
    func append(_ bytes: ByteBuffer) throws(GatewayError) {
        let isWritten = bytes.withUnsafeReadableBytes { raw in
            var rest = raw
            while let base = rest.baseAddress, !rest.isEmpty {
                let written = write(self.descriptor, base, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
            return true
        }
        if !isWritten { throw .spoolBroken }
    }

    /// Removes the file's name; whoever has it open goes on reading it.
    func remove() {
        unlink(self.path)
    }
}
