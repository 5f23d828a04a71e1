import Foundation

/// The right to be the one server of a home, held through `flock` and so let go of by any end of the process.
package struct HomeLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// Takes the lock, or throws ``HomeLockError/held(home:pid:)`` at once where another process has it.
    package init(home: CortexHome) throws {
        let path = "\(home.run)/server.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw HomeLockError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let held = errno == EWOULDBLOCK
            let reason = String(cString: strerror(errno))
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw held ? HomeLockError.held(home: home.path, pid: holder) : .cannotOpen(path: path, reason: reason)
        }
        self.descriptor = descriptor
        ftruncate(descriptor, 0)
        _ = Array("\(getpid())\n".utf8).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Gives the lock up; so does the end of the value, and of the process.
    package consuming func release() {}

    deinit { close(self.descriptor) }

    /// The pid that the lock's holder wrote into it.
    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}

/// Why a home's lock was not to be had.
package enum HomeLockError: Error, Equatable, CustomStringConvertible {
    case held(home: String, pid: Int32?)
    case cannotOpen(path: String, reason: String)

    package var description: String {
        switch self {
        case .held(let home, let pid):
            "another cortex server\(pid.map { " (pid \($0))" } ?? "") uses \(home); "
                + "stop it with `cortex server stop`, or set CORTEX_HOME to another folder"
        case .cannotOpen(let path, let reason): "cannot lock \(path): \(reason)"
        }
    }
}
