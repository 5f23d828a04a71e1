import Testing

@testable import CortexModels

@Suite(.timeLimit(.minutes(1))) struct DownloadGateTests {
    @Test func `who is cancelled in line gives way, and the others go on`() async {
        let gate = DownloadGate(limit: 1)
        let (opens, open) = AsyncStream.makeStream(of: Void.self)
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        async let first = gate.run {
            start.yield()
            for await _ in opens { break }
            return 1
        }
        for await _ in starts { break }
        let second = Task { await gate.run { 2 } }
        second.cancel()
        #expect(await second.value == nil)
        let third = Task { await gate.run { 3 } }
        open.yield()
        #expect(await first == 1)
        #expect(await third.value == 3)
        #expect(await gate.run { 4 } == 4)
    }
}
