import Synchronization

/// Whether the kernel's out-of-memory killer was at work: what ends a process by signal 9 does not say who it was.
///
/// The kernel counts its kills, and the counts are looked at now and then: a process that was killed while the count rose
/// is taken for one of them.
package final class KernelKills: Sendable {
    private let count: @Sendable () -> Int?
    private let marks = Mutex(Marks())

    package init(count: @escaping @Sendable () -> Int? = KernelKills.currentCount) {
        self.count = count
    }

    /// Remembers how many there have been by now.
    package func mark() {
        guard let count = self.count() else { return }
        self.marks.withLock { $0.add(count, at: .now) }
    }

    /// Whether there was one of late that no ended worker has been explained by; it is then explained.
    package func explainsExit() -> Bool {
        guard let count = self.count() else { return false }
        return self.marks.withLock { $0.explain(count, at: .now) }
    }

    /// Counts seen, and what they were needed for.
    struct Marks {
        /// How long a kill may lie back when its victim's end is noticed.
        static let memory = Duration.seconds(5)

        private var seen: [(count: Int, instant: ContinuousClock.Instant)] = []

        mutating func add(_ count: Int, at now: ContinuousClock.Instant) {
            // The newest of those that are old enough is what counts are compared with.
            if let old = self.seen.lastIndex(where: { now - $0.instant >= Self.memory }) {
                self.seen.removeFirst(old)
            }
            // The kernel's count began anew: it is that of another group.
            if let last = self.seen.last, count < last.count { self.seen = [] }
            self.seen.append((count, now))
        }

        mutating func explain(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
            let base = self.seen.last { now - $0.instant >= Self.memory } ?? self.seen.first
            guard let base, count > base.count else { return false }
            // One kill explains one end; counts that were taken after it have it already.
            for index in self.seen.indices where self.seen[index].count < count { self.seen[index].count += 1 }
            return true
        }
    }

    /// As the kernel has it for this process's control group, else for the machine; nil where it does not count.
    package static let currentCount: @Sendable () -> Int? = {
        let cgroup = Cgroup()
        let own = cgroup.text("memory.events") ?? cgroup.text("memory.oom_control", of: "memory")
        return (own ?? KernelFile.text("/proc/vmstat")).flatMap(KernelKills.count(in:))
    }

    static func count(in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) }
        }
        return nil
    }
}
