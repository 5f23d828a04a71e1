import CortexServing

/// Which processes belong to which worker: its own, and all that it has started, whatever became of them.
///
/// Each process is looked at once, when it is first seen; a look at all of them costs a listing of `/proc`.
struct WorkerFamilies {
    /// A worker of a replica that is watched.
    struct Worker: Hashable, Sendable {
        var name: String
        var pid: Int32
        /// Of its version: two servers on a machine may have workers of one name.
        var projectDirectory: String
    }

    /// How processes are seen.
    struct Sight: Sendable {
        var processes: @Sendable () -> [Int32]
        var stat: @Sendable (Int32) -> ProcessStat?
        /// The variables that it was started with, each ended by a zero byte.
        var environment: @Sendable (Int32) -> [UInt8]?

        static let kernel = Sight(
            processes: { ProcessStat.allProcesses() },
            stat: { ProcessStat(of: $0) },
            environment: { KernelFile.bytes("/proc/\($0)/environ") }
        )
    }

    private let sight: Sight
    private var workers: Set<Worker> = []
    /// Name of the worker of each process; nil for those of none.
    private var owners: [Int32: String?] = [:]

    init(sight: Sight = .kernel) {
        self.sight = sight
    }

    /// Looks at the processes that are new since the last time; returns those of each worker, by name.
    mutating func look(for workers: Set<Worker>) -> [String: [Int32]] {
        if workers != self.workers {
            // What belonged to nobody may be a worker's that was not known then.
            self.workers = workers
            self.owners = self.owners.filter { $0.value != nil }
        }
        let sessions = Dictionary(workers.map { ($0.pid, $0.name) }) { $1 }
        var now: [Int32: String?] = [:]
        var members: [String: [Int32]] = [:]
        for pid in self.sight.processes() {
            let owner = sessions[pid] ?? self.owners[pid] ?? self.owner(of: pid, sessions, now)
            now[pid] = .some(owner)
            if let owner { members[owner, default: []].append(pid) }
        }
        self.owners = now
        return members
    }

    private func owner(of pid: Int32, _ sessions: [Int32: String], _ seen: [Int32: String?]) -> String? {
        guard let stat = self.sight.stat(pid), !stat.isEnding else { return nil }
        if let owner = sessions[stat.session] ?? sessions[stat.parent] { return owner }
        if let owner = (seen[stat.parent] ?? self.owners[stat.parent]) ?? nil { return owner }
        // It has left the session, and who started it has ended.
        guard let environment = self.sight.environment(pid) else { return nil }
        var name: Substring?
        var directory: Substring?
        for variable in environment.split(separator: 0) {
            guard variable.starts(with: Self.prefix) else { continue }
            let text = String(decoding: variable, as: UTF8.self)
            if text.hasPrefix("CORTEX_WORKER=") { name = text.dropFirst(14) }
            if text.hasPrefix("CORTEX_PROJECT_DIR=") { directory = text.dropFirst(19) }
        }
        guard let name, let directory else { return nil }
        return self.workers.first { $0.name == name && $0.projectDirectory == directory }?.name
    }

    private static let prefix = Array("CORTEX_".utf8)
}
