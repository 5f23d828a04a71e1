import CortexSpec
import CortexTelemetry

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

    /// What a server without workers has open: its ports, event loops, state and logs.
    private static let own = 64
    /// With fewer for clients a server is of no use.
    private static let clients = 32

    /// Refuses a limit under which these APIs cannot be served, rather than have them fail one by one.
    static func check(for specs: [APISpec], limit: Int = Descriptors.limit) throws {
        let workers = specs.reduce(0) { sum, spec in
            let predictor = spec.predictor
            // As `Replica` keeps them; and for each API its socket and its log.
            return sum + predictor.processesPerReplica * (predictor.threadsPerProcess + 4) + 4
        }
        let needed = Self.own + Descriptors.base + Self.clients + workers
        guard limit < needed else { return }
        let deployed = specs.isEmpty ? "" : ", with the \(specs.count) that \(specs.count == 1 ? "is" : "are") deployed"
        throw CommandFailure(
            "the system allows the server \(limit) open files and connections; it needs \(needed) at least\(deployed)",
            hint:
                "allow more with `ulimit -n \(max(1024, needed * 2))` before the start, or LimitNOFILE in a systemd unit"
        )
    }
}
