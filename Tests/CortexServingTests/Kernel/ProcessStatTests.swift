import Testing

@testable import CortexServing

@Suite struct ProcessStatTests {
    /// As Linux 6.8 wrote it, but for the command.
    private static func text(command: String, state: String = "S", flags: String = "4194560") -> [UInt8] {
        Array(
            ("4711 (\(command)) \(state) 4700 4711 4699 0 -1 \(flags) 1312 0 0 0 21 4 0 0 20 0 9 0 8136 618237952 9814 "
                + "18446744073709551615 1 1 0 0 0 0 0 16781312 134234626 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n").utf8
        )
    }

    @Test(arguments: ["python3", "a b", "(sd-pam)", ") R 1 1 1 0", ""])
    func `parent and session are found behind any command`(command: String) throws {
        let stat = try #require(ProcessStat(Self.text(command: command)))
        #expect(stat.parent == 4700)
        #expect(stat.session == 4699)
        #expect(!stat.isEnding)
    }

    @Test(
        arguments: [
            ("R", "4194560", false), ("D", "4194560", false), ("Z", "4227084", true), ("X", "4194560", true),
            // Its files are closed already, and it is no zombie yet.
            ("R", "4194564", true),
        ]
    )
    func `one that ends is told from one that lives`(state: String, flags: String, isEnding: Bool) {
        #expect(ProcessStat(Self.text(command: "x", state: state, flags: flags))?.isEnding == isEnding)
    }

    @Test(arguments: [("S", false), ("R", false), ("T", true), ("t", true), ("Z", false)])
    func `one that is stopped is told from one that sleeps`(state: String, isStopped: Bool) {
        #expect(ProcessStat(Self.text(command: "x", state: state))?.isStopped == isStopped)
    }

    @Test(arguments: [
        "", "4711", "4711 (x", "4711 (x) S", "4711 (x) S a 1 2 0 -1 0 1", "4711 (x) S 1 2 99999999999 0 -1 0 1",
    ])
    func `what the kernel does not write is nothing`(text: String) {
        #expect(ProcessStat(Array(text.utf8)) == nil)
    }

    #if os(Linux)
    @Test func `this process is among all, and lives`() throws {
        let pid = getpid()
        #expect(ProcessStat.allProcesses().contains(pid))
        let stat = try #require(ProcessStat(of: pid))
        #expect(stat.parent == getppid())
        #expect(stat.session == getsid(0))
        #expect(!stat.isEnding)
        #expect(ProcessStat(of: .max) == nil)
    }
    #endif
}

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif
