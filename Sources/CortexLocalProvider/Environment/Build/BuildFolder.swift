#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that an environment or a tool grows in, beside the finished ones.
///
/// Locked while its process lives, so that another process can tell what is left over from what is being built.
final class BuildFolder: Sendable {
    private static let prefix = ".building-"

    let path: String
    private let lock: Int32

    init(in parent: String) throws(EnvironmentError) {
        self.path = "\(parent)/\(Self.prefix)\(UUID().uuidString)"
        guard mkdir(self.path, 0o700) == 0 else { throw .system("create", self.path) }
        guard let lock = Self.lock(self.path) else {
            rmdir(self.path)
            throw .system("lock", self.path)
        }
        self.lock = lock
    }

    deinit {
        // In this order: once unlocked, another process may be removing it too.
        try? FileManager.default.removeItem(atPath: self.path)
        _ = close(self.lock)
    }

    /// Removes what processes that are no more left half built.
    static func removeLeftovers(in parent: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: parent) where name.hasPrefix(Self.prefix) {
            let path = "\(parent)/\(name)"
            guard let lock = Self.lock(path) else { continue }
            defer { _ = close(lock) }
            // A tool that outlived its server may still be writing there; then the next start removes the rest.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Moves `name`, built in this folder, to `final` at once.
    ///
    /// Where another process was faster, its result stays and this one's is thrown away, unless `isUsable` finds it broken.
    func publish(_ name: String, as final: String, isUsable: () -> Bool) throws(EnvironmentError) {
        let built = "\(self.path)/\(name)"
        if rename(built, final) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw .system("create", final) }
        guard !isUsable() else { return }
        guard rename(final, "\(self.path)/broken") == 0, rename(built, final) == 0 else {
            throw .system("replace", final)
        }
    }

    private static func lock(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            _ = close(descriptor)
            return nil
        }
        return descriptor
    }
}

extension EnvironmentError {
    /// The error of the system call that has just failed.
    static func system(_ operation: String, _ path: String) -> EnvironmentError {
        let code = errno
        return .system(operation: operation, path: path, reason: String(cString: strerror(code)))
    }
}
