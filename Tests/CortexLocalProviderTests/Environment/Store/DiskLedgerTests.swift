import Foundation
import Testing

@testable import CortexLocalProvider

@Suite struct DiskLedgerTests {
    private func file(_ id: UInt64, links: Int, _ bytes: Int64) -> DiskUse.LinkedFile {
        DiskUse.LinkedFile(id: id, links: links, bytes: bytes)
    }

    @Test func `a file with two names counts once, and goes with the second`() {
        let one = DiskUse(own: 10, linked: [self.file(1, links: 2, 100)])
        let other = DiskUse(own: 1, linked: [self.file(1, links: 2, 100)])
        var ledger = DiskLedger([one, other])
        #expect(ledger.total == 111)
        #expect(ledger.remove(one) == DiskLedger.Freed(bytes: 10))
        #expect(ledger.total == 101)
        #expect(ledger.remove(other) == DiskLedger.Freed(bytes: 101))
        #expect(ledger.total == 0)
    }

    @Test func `what the cache has too is not freed`() {
        let one = DiskUse(own: 10, linked: [self.file(1, links: 3, 100), self.file(2, links: 2, 7)])
        let other = DiskUse(own: 0, linked: [self.file(1, links: 3, 100)])
        var ledger = DiskLedger([one, other])
        #expect(ledger.remove(one) == DiskLedger.Freed(bytes: 10, elsewhere: 7))
        #expect(ledger.remove(other) == DiskLedger.Freed(bytes: 0, elsewhere: 100))
    }

    @Test func `two names in one folder are one file`() {
        let folder = DiskUse(own: 0, linked: [self.file(1, links: 2, 50), self.file(1, links: 2, 50)])
        var ledger = DiskLedger([folder])
        #expect(ledger.total == 50)
        #expect(ledger.remove(folder) == DiskLedger.Freed(bytes: 50))
    }

    @Test func `a tree is read as the disk has it`() throws {
        let home = try TemporaryFolder()
        try home.write("tree/plain", String(repeating: "x", count: 9000))
        try home.write("tree/inner/linked", String(repeating: "x", count: 20_000))
        try FileManager.default.linkItem(
            atPath: "\(home.path)/tree/inner/linked",
            toPath: "\(home.path)/elsewhere"
        )
        let use = try DiskTree.use(of: "\(home.path)/tree")
        #expect(use.own >= 9000)
        #expect(use.linked.map(\.links) == [2])
        #expect(use.linked[0].bytes >= 20_000)
        #expect(try DiskTree.use(of: "\(home.path)/none") == DiskUse())
    }
}
