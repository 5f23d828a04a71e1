import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Whether the disk takes the logs: told once when it no longer does, and once when it does again, not for each line.
package enum LogSpace {
    package enum Change: Hashable, Sendable {
        /// - Parameter path: The first log that was not taken.
        case failed(path: String, reason: String)
        case passed
    }

    private struct State {
        var failing: Set<String> = []
        var tell: (@Sendable (Change) -> Void)?
    }

    private static let state = Mutex(State())
    /// Looked at by each write that succeeds, so that it takes no lock where nothing is wrong.
    private static let isFailing = Atomic<Bool>(false)

    /// - Parameter tell: Hears of changes from now on; nil for nobody.
    package static func observe(_ tell: (@Sendable (Change) -> Void)?) {
        self.state.withLock { $0.tell = tell }
    }

    static func failed(_ path: String, _ error: Int32) {
        let tell = self.state.withLock { state -> (@Sendable (Change) -> Void)? in
            defer { state.failing.insert(path) }
            self.isFailing.store(true, ordering: .relaxed)
            return state.failing.isEmpty ? state.tell : nil
        }
        tell?(.failed(path: path, reason: String(cString: strerror(error))))
    }

    static func succeeded(_ path: String) {
        guard self.isFailing.load(ordering: .relaxed) else { return }
        let tell = self.state.withLock { state -> (@Sendable (Change) -> Void)? in
            guard state.failing.remove(path) != nil, state.failing.isEmpty else { return nil }
            self.isFailing.store(false, ordering: .relaxed)
            return state.tell
        }
        tell?(.passed)
    }
}
