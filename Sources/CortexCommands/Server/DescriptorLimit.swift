#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// How many files and connections this process may have open.
enum DescriptorLimit {
    /// Beyond this nothing is gained, and programs that go through all possible descriptors get slow.
    private static let most: rlim_t = 65_536

    /// Takes what the system allows: the 1024 that shells give would end at as many connections.
    static func raise() {
        #if os(Linux)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, Self.most)
        guard wanted > limit.rlim_cur else { return }
        limit.rlim_cur = wanted
        // Where it is refused the server works with what it has.
        _ = setrlimit(resource, &limit)
    }
}
