import CortexServing
import Testing

@Suite struct RestartBackoffTests {
    @Test(
        arguments: [
            (1, false, .milliseconds(100)), (2, false, .milliseconds(200)), (3, false, .milliseconds(400)),
            (9, false, .milliseconds(25_600)), (10, false, .seconds(30)), (1_000_000, false, .seconds(30)),
            (0, false, .milliseconds(100)), (-5, false, .milliseconds(100)),
            (6, true, .milliseconds(3200)), (7, true, .seconds(5)), (1_000_000, true, .seconds(5)),
        ] as [(Int, Bool, Duration)]
    )
    func `the delay doubles up to its limit`(ends: Int, wasReady: Bool, delay: Duration) {
        #expect(RestartBackoff().delay(ends: ends, wasReady: wasReady, jitter: 1) == delay)
    }

    @Test func `the delay varies by a tenth`() {
        let delays = (0..<200).map { _ in RestartBackoff().delay(ends: 1, wasReady: true) }
        #expect(delays.allSatisfy { (.milliseconds(90)...Duration.milliseconds(110)).contains($0) })
        #expect(Set(delays).count > 1)
    }

    @Test(
        arguments: [(2, false, false), (3, false, true), (4, true, false), (5, true, true)] as [(Int, Bool, Bool)]
    )
    func `requests wait for the first restarts and are refused in a loop`(ends: Int, wasReady: Bool, refuses: Bool) {
        #expect(RestartBackoff.refuses(ends: ends, wasReady: wasReady) == refuses)
    }
}
