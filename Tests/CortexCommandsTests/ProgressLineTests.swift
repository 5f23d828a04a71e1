import Testing

@testable import CortexCommands

@Suite(.timeLimit(.minutes(1))) struct ProgressLineTests {
    private struct Failure: Error {}

    @Test func `gives what was waited for`() async throws {
        var progress = ProgressLine(console: Console(output: -1, errors: -1))
        #expect(try await progress.show(while: { 7 }) == 7)
    }

    @Test func `throws what was waited for`() async throws {
        var progress = ProgressLine(console: Console(output: -1, errors: -1))
        await #expect(throws: Failure.self) { try await progress.show(while: { () -> Int in throw Failure() }) }
    }
}
