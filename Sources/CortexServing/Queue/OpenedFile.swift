import CFileStatus
import CortexTelemetry

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A regular file, open for reading; closed when nobody holds it any more.
package final class OpenedFile: Sendable {
    package let descriptor: Int32
    /// Bytes, as they were when it was opened.
    package let size: Int

    /// Nil where there is no such regular file that may be read.
    package init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        guard Descriptors.place(of: descriptor) != .last else {
            close(descriptor)
            return nil
        }
        var status = FileStatus()
        guard cortex_fstat(descriptor, &status) == 0, status.mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.size = Int(status.size)
    }

    deinit {
        close(self.descriptor)
    }
}

/// Removes a file's name; one that is gone already is no matter.
package func unlinkFile(_ path: String) {
    _ = unlink(path)
}
