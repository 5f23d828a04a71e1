import CortexServing

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

/// A folder that an environment or a tool grows in, gone with its last reference unless it is kept.
///
/// Locked while its process lives, so that another process can tell what is left over from what is being built.
final class BuildFolder: Sendable {
    private static let prefix = "build-"

    let path: String
    let name: String
    private let lock: Int32
    private let ledger: WorkerLedger

    init(in parent: String) throws {
        self.name = Self.prefix + String(UInt32.random(in: .min ... .max), radix: 16)
        self.path = "\(parent)/\(self.name)"
        guard mkdir(self.path, 0o700) == 0 else { throw EnvironmentError.system("create", self.path) }
        guard let lock = Self.lock(self.path) else {
            rmdir(self.path)
            throw EnvironmentError.system("lock", self.path)
        }
        self.lock = lock
        self.ledger = try WorkerLedger(directory: Self.ledger(self.path))
    }

    deinit {
        // In this order: once unlocked, another process may be removing it too.
        if !self.isKept { try? FileManager.default.removeItem(atPath: self.path) }
        _ = flock(self.lock, LOCK_UN)
        _ = close(self.lock)
    }

    /// Whether the mark is there that ``keep()`` makes.
    private var isKept: Bool { access(Self.mark(self.path), F_OK) == 0 }

    /// Writes down who works in this folder, so that they are ended before it is removed should this process be killed.
    var watch: ToolCommand.Watch {
        let ledger = self.ledger
        return ToolCommand.Watch(started: { ledger.started($0) }, ended: { ledger.ended($0) })
    }

    /// Lets the folder stay: what is in it is whole.
    func keep() throws {
        try? FileManager.default.removeItem(atPath: Self.ledger(self.path))
        guard FileManager.default.createFile(atPath: Self.mark(self.path), contents: nil) else {
            throw EnvironmentError.system("create", Self.mark(self.path))
        }
    }

    /// Removes what processes that are no more left half built, and ends what these have left running there.
    ///
    /// - Parameter kept: The name of a folder that stays.
    static func removeLeftovers(in parent: String, except kept: String? = nil) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: parent)
        where name.hasPrefix(Self.prefix) && name != kept {
            let path = "\(parent)/\(name)"
            guard let lock = Self.lock(path) else { continue }
            defer { _ = close(lock) }
            if FileManager.default.fileExists(atPath: Self.ledger(path)) {
                try? WorkerLedger(directory: Self.ledger(path)).endOrphans()
            }
            // What was being written at that moment may be in the way; then the next start removes the rest.
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

    /// Whether a name is of such a folder.
    static func isBuild(_ name: String) -> Bool { name.hasPrefix(Self.prefix) }

    private static func ledger(_ path: String) -> String { "\(path)/processes" }

    private static func mark(_ path: String) -> String { "\(path)/kept" }

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
