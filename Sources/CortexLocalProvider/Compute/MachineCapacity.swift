import CortexServing
package import CortexSpec
import Foundation

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What this process may use of its machine, limits of containers and service managers included.
package struct MachineCapacity: Hashable, Sendable {
    /// Processors that may be used at the same time: those the process may run on, or fewer where a quota allows less.
    package var processors: Int
    /// Whether a quota keeps it below the processors that the machine shows: libraries that count those would start too
    /// many threads.
    package var hasQuota: Bool
    /// Nil where the system does not say.
    package var memory: ByteCount?

    package init(processors: Int, hasQuota: Bool = false, memory: ByteCount? = nil) {
        self.processors = processors
        self.hasQuota = hasQuota
        self.memory = memory
    }

    /// As of now.
    package static func current() -> Self {
        Self(
            shown: ProcessInfo.processInfo.activeProcessorCount,
            physicalMemory: ByteCount(Int64(clamping: ProcessInfo.processInfo.physicalMemory)),
            cgroup: Cgroup()
        )
    }

    /// - Parameters:
    ///   - shown: Processors that the process may run on.
    ///   - physicalMemory: What the machine has.
    init(shown: Int, physicalMemory: ByteCount, cgroup: Cgroup) {
        let quota = Self.processorQuota(cgroup).map { max(1, Int($0.rounded(.up))) }
        self.processors = max(1, min(shown, quota ?? shown))
        self.hasQuota = quota.map { $0 < shown } ?? false
        self.memory = ([physicalMemory] + Self.memoryLimits(cgroup)).min()
    }

    /// In processors; nil where there is no quota.
    private static func processorQuota(_ cgroup: Cgroup) -> Double? {
        // Version 2: "150000 100000", or "max 100000".
        let unified = cgroup.texts("cpu.max").compactMap { text -> Double? in
            let numbers = text.split(separator: " ").map { Double($0) }
            guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0 else { return nil }
            return quota / period
        }
        // Version 1: a quota of -1 is none.
        let quotas = cgroup.texts("cpu.cfs_quota_us", of: "cpu").map { Double($0) ?? -1 }
        let periods = cgroup.texts("cpu.cfs_period_us", of: "cpu").map { Double($0) ?? 0 }
        let legacy = zip(quotas, periods).compactMap { $0 > 0 && $1 > 0 ? $0 / $1 : nil }
        return (unified + legacy).min()
    }

    /// How many replicas are worth having where none is asked for by name: a process keeps a processor busy, unless
    /// `compute.cpu` says that it takes less.
    package func mostReplicas(of spec: APISpec) -> Int {
        let replica = spec.compute.cpuQuantity?.millicores ?? Int64(spec.predictor.processesPerReplica) * 1000
        return max(1, Int(Int64(self.processors) * 1000 / max(replica, 1)))
    }

    private static func memoryLimits(_ cgroup: Cgroup) -> [ByteCount] {
        // No limit is "max" in version 2, and more than any machine has in version 1.
        (cgroup.texts("memory.max") + cgroup.texts("memory.limit_in_bytes", of: "memory"))
            .compactMap { Int64($0).map { ByteCount($0) } }
    }
}
