import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct DevRolloutTests {
    private let attempt = DevAttempt(version: 2, paths: ["a.py"], began: .now)

    /// What is told of each look, in order, and the state after all.
    private func steps(
        from start: DevRollout,
        _ looks: [(status: APIStatus, serving: Int?)]
    ) -> (told: [DevRollout.Step?], end: DevRollout) {
        var rollout = start
        let told = looks.map { look in
            rollout.saw(wanted: 2, serving: look.serving, status: look.status, reason: "no such file")
        }
        return (told, rollout)
    }

    @Test func `a version goes live once`() {
        // The second look is at a version before that is live.
        let looks: [(APIStatus, Int?)] = [(.updating, 1), (.live, 1), (.live, 2), (.live, 2)]
        let (told, end) = self.steps(from: .starting(self.attempt), looks)
        #expect(told == [nil, nil, .live, nil])
        #expect(end.isLive && end.isSettled)
    }

    @Test(arguments: [APIStatus.error, .rolloutFailed, .outOfMemory])
    func `a failure is told once, at the second look`(_ status: APIStatus) {
        let (told, end) = self.steps(from: .starting(self.attempt), [(status, 1), (status, 1), (status, 1)])
        #expect(told == [nil, .failed(reason: "no such file"), nil])
        #expect(end.isFailed && end.isSettled)
    }

    @Test func `a version that failed may come up by itself`() {
        let (told, end) = self.steps(from: .failed(self.attempt), [(.rolloutFailed, 1), (.live, 2)])
        #expect(told == [nil, .live])
        #expect(end.isLive)
    }

    @Test func `a newer deploy takes its place`() {
        var rollout = DevRollout.starting(self.attempt)
        let told = rollout.saw(wanted: 3, serving: 1, status: .updating, reason: nil)
        #expect(told == .replaced)
    }
}
