import CortexServing
import Testing

@Suite struct WorkerStateTests {
    @Test(
        arguments: [
            // A first start that fails is tried again, later and later.
            (.starting(attempt: 1), false, .restart(attempt: 2), .backingOff(attempt: 2)),
            (.starting(attempt: 9), false, .restart(attempt: 10), .backingOff(attempt: 10)),
            // It said itself that another try cannot go better.
            (.starting(attempt: 1), true, .finish, .stopped),
            // One that was ready begins anew, whatever it says.
            (.ready, false, .restart(attempt: 1), .backingOff(attempt: 1)),
            (.ready, true, .restart(attempt: 1), .backingOff(attempt: 1)),
            (.draining, false, .finish, .stopped),
            (.stopped, false, .finish, .stopped),
        ] as [(WorkerState, Bool, WorkerState.OnExit, WorkerState)]
    )
    func `the end of a process has its consequence`(
        state: WorkerState,
        isFinal: Bool,
        consequence: WorkerState.OnExit,
        next: WorkerState
    ) {
        var state = state
        #expect(state.exited(isFinal: isFinal) == consequence)
        #expect(state == next)
    }

    @Test(
        arguments: [
            (.starting(attempt: 1), .draining), (.ready, .draining), (.draining, .draining),
            (.backingOff(attempt: 3), .stopped), (.stopped, .stopped),
        ] as [(WorkerState, WorkerState)]
    )
    func `a drain lets what runs finish, and what does not run rest`(state: WorkerState, next: WorkerState) {
        var state = state
        state.beganDraining()
        #expect(state == next)
        state.becameReady()
        #expect(state == next, "who was ready too late stays as it is")
    }

    @Test func `a start keeps the count of its tries`() {
        var state = WorkerState.backingOff(attempt: 4)
        state.beganStart()
        #expect(state == .starting(attempt: 4))
        state.becameReady()
        #expect(state == .ready)
    }

    @Test(
        arguments: [
            (1, .milliseconds(100)), (2, .milliseconds(200)), (3, .milliseconds(400)), (9, .milliseconds(25_600)),
            (10, .seconds(30)), (1_000_000, .seconds(30)), (0, .milliseconds(100)), (-5, .milliseconds(100)),
        ] as [(Int, Duration)]
    )
    func `the delay doubles up to its limit`(attempt: Int, delay: Duration) {
        #expect(RestartBackoff().delay(attempt: attempt, jitter: 1) == delay)
    }

    @Test func `the delay varies by a tenth`() {
        let delays = (0..<200).map { _ in RestartBackoff().delay(attempt: 1) }
        #expect(delays.allSatisfy { (.milliseconds(90)...Duration.milliseconds(110)).contains($0) })
        #expect(Set(delays).count > 1)
    }
}
