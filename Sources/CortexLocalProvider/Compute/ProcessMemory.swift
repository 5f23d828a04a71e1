import CortexServing
import CortexSpec

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What a process holds of the machine's memory, read from `/proc`; see proc(5).
enum ProcessMemory {
    /// All of its pages that are in memory; shared ones are counted in each process that has them.
    ///
    /// Costs microseconds, whatever the process has. Zero for one that is gone.
    static func resident(of pid: Int32) -> ByteCount {
        guard let text = KernelFile.bytes("/proc/\(pid)/statm") else { return ByteCount(0) }
        return self.resident(in: text, pageSize: Int64(sysconf(Int32(_SC_PAGESIZE))))
    }

    static func resident(in statm: [UInt8], pageSize: Int64) -> ByteCount {
        let fields = String(decoding: statm, as: UTF8.self).split(separator: " ")
        return ByteCount(fields.count > 1 ? (Int64(fields[1]) ?? 0) * pageSize : 0)
    }

    /// Its pages that nothing but memory holds: a page that several processes share counts in parts.
    ///
    /// Pages of mapped files do not count, since the kernel takes them back when it needs to: that is what a container's
    /// limit comes to, too. The kernel walks all of the process's pages for this: some ms for each GiB.
    static func owned(by pid: Int32) -> ByteCount {
        KernelFile.bytes("/proc/\(pid)/smaps_rollup").flatMap(self.owned(in:)) ?? self.resident(of: pid)
    }

    /// Nil where the text is none of the kernel's.
    static func owned(in rollup: [UInt8]) -> ByteCount? {
        var kibibytes: [Substring: Int64] = [:]
        for line in String(decoding: rollup, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 3, let value = Int64(words[1]) { kibibytes[words[0]] = value }
        }
        if let anonymous = kibibytes["Pss_Anon:"], let shared = kibibytes["Pss_Shmem:"] {
            return ByteCount((anonymous + shared) << 10)
        }
        // Kernels before 5.4 give the sum only, mapped files included.
        return kibibytes["Pss:"].map { ByteCount($0 << 10) }
    }
}
