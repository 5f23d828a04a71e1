import CortexSpec
import Testing

@testable import CortexLocalProvider

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

@Suite struct ProcessMemoryTests {
    @Test(
        arguments: [
            ("150939 9814 2371 1 0 25031 0\n", Int64(9814 * 4096)), ("0 0 0 0 0 0 0\n", 0), ("", 0), ("x", 0),
            ("1 y", 0),
        ]
    )
    func `resident memory is the second number, in pages`(text: String, bytes: Int64) {
        #expect(ProcessMemory.resident(in: Array(text.utf8), pageSize: 4096) == ByteCount(bytes))
    }

    /// As Linux 6.8 wrote it, shortened.
    private static let rollup = """
        5642d9a3c000-7ffd3a5fe000 ---p 00000000 00:00 0                          [rollup]
        Rss:              612340 kB
        Pss:              301250 kB
        Pss_Dirty:        290112 kB
        Pss_Anon:         290000 kB
        Pss_File:          11138 kB
        Pss_Shmem:           112 kB
        Shared_Clean:      20480 kB
        Anonymous:        580000 kB
        Locked:                0 kB

        """

    @Test func `what a process owns is its share of what only memory holds`() {
        #expect(ProcessMemory.owned(in: Array(Self.rollup.utf8)) == ByteCount(290_112 << 10))
    }

    @Test func `an older kernel gives the sum`() {
        let lines = Self.rollup.split(separator: "\n").filter { !$0.hasPrefix("Pss_") }
        #expect(ProcessMemory.owned(in: Array(lines.joined(separator: "\n").utf8)) == ByteCount(301_250 << 10))
    }

    @Test func `what the kernel does not write is nothing`() {
        #expect(ProcessMemory.owned(in: []) == nil)
        #expect(ProcessMemory.owned(in: Array("Pss: many kB".utf8)) == nil)
    }

    #if os(Linux)
    @Test func `this process has some memory, and one that is not there none`() {
        let pid = getpid()
        #expect(ProcessMemory.resident(of: pid) > .mebibytes(1))
        #expect(ProcessMemory.owned(by: pid) > .mebibytes(1))
        #expect(ProcessMemory.resident(of: .max) == ByteCount(0))
        #expect(ProcessMemory.owned(by: .max) == ByteCount(0))
    }
    #endif
}
