#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file that keeps all lines of an environment's last build.
final class BuildLog: Sendable {
    let path: String
    private let descriptor: Int32

    /// Begins anew: what an earlier build of the same environment said is gone.
    init(path: String) throws(EnvironmentError) {
        self.path = path
        self.descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw .system("create", path) }
    }

    deinit {
        _ = close(self.descriptor)
    }

    /// Adds a line; a full disk loses the line, as the build itself will say more about it.
    func append(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = bytes.withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
    }
}
