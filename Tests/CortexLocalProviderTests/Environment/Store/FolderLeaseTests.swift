import Foundation
import Testing

@testable import CortexLocalProvider

@Suite(.timeLimit(.minutes(1))) struct FolderLeaseTests {
    private let home: TemporaryFolder
    private let path: String

    init() throws {
        self.home = try TemporaryFolder()
        try self.home.write("thing/file", "1")
        self.path = "\(self.home.path)/thing"
    }

    private func take() throws -> Bool { try Removal.take(self.path, into: self.home.path) }

    @Test func `a folder stays while there is a lease on it`() throws {
        var first = FolderLease(self.path)
        var second = FolderLease(self.path)
        #expect(first != nil && second != nil)
        first = nil
        #expect(FolderLock.isTaken(self.path))
        #expect(try !self.take())
        #expect(try self.home.text("thing/file") == "1")
        second = nil
        #expect(!FolderLock.isTaken(self.path))
        #expect(try self.take())
        #expect(try self.home.names(in: ".") == [])
        #expect(FolderLease(self.path) == nil)
    }

    @Test func `a lease goes with its folder where that is renamed`() throws {
        let lease = try #require(FolderLease(self.path))
        let moved = "\(self.home.path)/moved"
        #expect(rename(self.path, moved) == 0)
        #expect(FolderLock.isTaken(moved))
        try self.home.write("thing/file", "another")
        #expect(try self.take())
        withExtendedLifetime(lease) {}
    }

    @Test func `a lease says when its folder was used last, at its beginning and its end`() throws {
        func age(_ path: String) throws -> TimeInterval {
            -(try #require(DiskTree.modified(path)).timeIntervalSinceNow)
        }
        func makeOld() throws {
            let old = Date(timeIntervalSinceNow: -5000)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: self.path)
        }
        try makeOld()
        #expect(try age(self.path) > 4000)
        var lease = FolderLease(self.path)
        #expect(lease != nil)
        #expect(try age(self.path) < 100)
        try makeOld()
        lease = nil
        #expect(try age(self.path) < 100)
    }

    @Test func `the lease of another process counts, and ends when it is killed`() async throws {
        let python = try #require(ProcessEnvironment.current.executable("python3"))
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: python)
        holder.arguments = [
            "-c",
            "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_SH); print('held', flush=True); "
                + "sys.stdin.read()",
            self.path,
        ]
        let (output, input) = (Pipe(), Pipe())
        holder.standardOutput = output
        holder.standardInput = input
        try holder.run()
        #expect(try output.fileHandleForReading.read(upToCount: 4) == Data("held".utf8))
        #expect(try !self.take())
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(try self.take())
    }

    @Test func `a removal that was cut short is finished, read-only folders and all`() throws {
        try self.home.write(".removing-1/a/b/file", "x")
        let inner = "\(self.home.path)/.removing-1/a/b"
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: inner)
        let counted = try Removal.finish(in: self.home.path, isDryRun: true)
        #expect(counted.count == 1)
        #expect(try self.home.names(in: ".") == [".removing-1", "thing"])
        #expect(try Removal.finish(in: self.home.path) == counted)
        #expect(try self.home.names(in: ".") == ["thing"])
    }
}
