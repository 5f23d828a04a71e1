import Foundation
import Testing

@testable import CortexServing

@Suite struct CgroupTests {
    /// A tree of control files, by path.
    private func withTree(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "cgroup-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        try body(root.path(percentEncoded: false))
    }

    @Test func `a file of version 2 is found in the own group and those around it`() throws {
        let files = [
            "system.slice/cpu.max": "max 100000\n", "system.slice/cortex.service/cpu.max": "150000 100000\n",
            "other/cpu.max": "1 1\n",
        ]
        try self.withTree(files) { root in
            let cgroup = Cgroup(root: root, membership: "0::/system.slice/cortex.service\n")
            #expect(cgroup.texts("cpu.max") == ["150000 100000", "max 100000"])
            #expect(cgroup.text("cpu.max") == "150000 100000")
            #expect(cgroup.text("memory.max") == nil)
        }
    }

    @Test func `a path that the mount does not have leads to the mount itself`() throws {
        try self.withTree(["memory.max": "268435456\n"]) { root in
            #expect(Cgroup(root: root, membership: "0::/docker/4f1e\n").texts("memory.max") == ["268435456"])
        }
    }

    @Test func `a controller of version 1 has a place of its own`() throws {
        let files = ["memory/a/memory.limit_in_bytes": "1\n", "cpu/b/cpu.cfs_quota_us": "-1\n"]
        try self.withTree(files) { root in
            let cgroup = Cgroup(root: root, membership: "4:memory:/a\n2:cpu,cpuacct:/b\n0::/\n")
            #expect(cgroup.texts("memory.limit_in_bytes", of: "memory") == ["1"])
            #expect(cgroup.texts("cpu.cfs_quota_us", of: "cpu") == ["-1"])
            #expect(cgroup.texts("memory.limit_in_bytes") == [])
            #expect(cgroup.texts("pids.max", of: "pids") == [])
        }
    }

    @Test(arguments: [nil, "", "nonsense", "1:2"])
    func `where nothing is said nothing is found`(membership: String?) {
        #expect(Cgroup(root: "/", membership: membership).texts("etc/hostname") == [])
    }
}
