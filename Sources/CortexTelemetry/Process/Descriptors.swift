import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The files and connections that this process may have open, and those of them that are not for clients.
///
/// A process that has none left cannot start a worker, which clients need more than one further connection. So some are
/// kept: a client's connection whose number lies among the last ones is refused. Numbers tell it, without counting, since
/// the system gives the lowest that is free.
package enum Descriptors {
    /// Those that starting a process takes for a moment: pipes, and their copies.
    package static let perStart = 24
    /// Kept in any case: for starts, the admin port, state and logs.
    package static let base = 64

    /// Kept on top, for the workers that there are.
    private static let workers = Atomic<Int>(0)
    /// Those of starts that are under way.
    private static let claimed = Atomic<Int>(0)

    /// As many as the system allows (`ulimit -n`); read anew, since others can change it while the process runs.
    package static var limit: Int {
        #if os(Linux)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return .max }
        return Int(exactly: limit.rlim_cur) ?? .max
    }

    /// As many as are open; all where not even that can be looked at.
    package static var open: Int {
        guard let folder = opendir("/dev/fd") else { return errno == EMFILE || errno == ENFILE ? self.limit : 0 }
        defer { closedir(folder) }
        // Neither ".", ".." nor the one that reads.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return max(count, 0)
    }

    /// What is kept of so many: never more than half.
    package static func kept(of limit: Int) -> Int {
        min(self.base + self.workers.load(ordering: .relaxed), limit / 2)
    }

    /// Keeps as many more for workers; a negative number gives them back.
    package static func keep(_ count: Int) {
        self.workers.add(count, ordering: .relaxed)
    }

    /// Where a descriptor of this number stands.
    package enum Place: Hashable, Sendable {
        /// It leaves those that are kept alone.
        case ordinary
        /// One of those that are kept: it is to be closed soon.
        case kept
        /// So far among them that it is to be closed at once.
        case last
    }

    package static func place(of descriptor: Int32, limit: Int = Self.limit) -> Place {
        let kept = self.kept(of: limit)
        if descriptor < limit - kept { return .ordinary }
        return descriptor < limit - kept / 2 ? .kept : .last
    }

    /// Makes sure that a process can be started, before that is tried; released once it has been.
    package static func claimStart() throws(DescriptorShortage) -> Claim {
        let limit = self.limit
        let claimed = self.claimed.add(self.perStart, ordering: .relaxed).newValue
        let claim = Claim()
        let free = limit - self.open
        guard free >= claimed else {
            claim.release()
            throw DescriptorShortage(free: max(0, free - claimed + self.perStart), limit: limit)
        }
        return claim
    }

    /// What one start may take; given back by `release`, or when nobody holds it any more.
    package final class Claim: Sendable {
        private let isHeld = Atomic<Bool>(true)

        fileprivate init() {}

        deinit { self.release() }

        package func release() {
            guard self.isHeld.exchange(false, ordering: .relaxed) else { return }
            Descriptors.claimed.subtract(Descriptors.perStart, ordering: .relaxed)
        }
    }
}

/// There are too few descriptors left to start a process.
package struct DescriptorShortage: Error, Hashable, CustomStringConvertible {
    package let free: Int
    package let limit: Int

    package init(free: Int, limit: Int) {
        self.free = free
        self.limit = limit
    }

    package var description: String {
        "only \(self.free) of the \(self.limit) files and connections that the server may have open (ulimit -n) are free, "
            + "and a start takes \(Descriptors.perStart)"
    }
}
