import CortexServing
import CortexSpec
import Foundation
import Testing

@testable import CortexLocalProvider

@Suite struct MachineCapacityTests {
    private static let physical = ByteCount.gibibytes(64)

    private func capacity(shown: Int = 8, membership: String, _ files: [String: String]) throws -> MachineCapacity {
        let root = FileManager.default.temporaryDirectory.appending(path: "capacity-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        let cgroup = Cgroup(root: root.path(percentEncoded: false), membership: membership)
        return MachineCapacity(shown: shown, physicalMemory: Self.physical, cgroup: cgroup)
    }

    @Test(
        arguments: [
            ("max 100000", 8, false), ("150000 100000", 2, true), ("50000 100000", 1, true),
            ("800000 100000", 8, false),
            ("9900000 100000", 8, false), ("", 8, false), ("x y", 8, false), ("1 0", 8, false),
        ]
    )
    func `G09 a quota of version 2 counts, not what the host shows`(
        text: String,
        processors: Int,
        hasQuota: Bool
    ) throws {
        let capacity = try self.capacity(membership: "0::/a\n", ["a/cpu.max": text])
        #expect(capacity.processors == processors)
        #expect(capacity.hasQuota == hasQuota)
    }

    @Test func `the tightest of the groups around the process counts`() throws {
        let files = [
            "cpu.max": "300000 100000", "a/cpu.max": "max 100000", "memory.max": "1073741824", "a/memory.max": "max",
        ]
        let capacity = try self.capacity(membership: "0::/a/b\n", files)
        #expect(capacity.processors == 3)
        #expect(capacity.memory == .gibibytes(1))
    }

    @Test func `G09 limits of version 1 count`() throws {
        let files = [
            "cpu/c/cpu.cfs_quota_us": "250000", "cpu/c/cpu.cfs_period_us": "100000",
            "memory/c/memory.limit_in_bytes": "268435456",
        ]
        let capacity = try self.capacity(membership: "3:cpu,cpuacct:/c\n2:memory:/c\n", files)
        #expect(capacity == MachineCapacity(processors: 3, hasQuota: true, memory: .mebibytes(256)))
    }

    @Test func `without limits it is the machine`() throws {
        let files = [
            "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        ]
        let capacity = try self.capacity(membership: "3:cpu:/\n2:memory:/\n0::/\n", files)
        #expect(capacity == MachineCapacity(processors: 8, hasQuota: false, memory: Self.physical))
    }
}
