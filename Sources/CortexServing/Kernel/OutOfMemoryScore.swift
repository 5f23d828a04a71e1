/// Whom the kernel ends first when memory runs out.
package enum OutOfMemoryScore {
    /// Makes a process, and what it starts from now on, go before this server.
    ///
    /// A process may always be made to go earlier. Does nothing where the system has no such score.
    package static func raise(of pid: Int32) {
        let own = KernelFile.text("/proc/self/oom_score_adj").flatMap { Int($0) } ?? 0
        KernelFile.write("\(min(own + Self.distance, Self.highest))", to: "/proc/\(pid)/oom_score_adj")
    }

    private static let distance = 500
    private static let highest = 1000
}
