import CortexServing
import Testing

@Suite struct WorkerStateTests {
    private static let start = ContinuousClock.now

    private static func ready(_ ends: Int) -> WorkerState { .ready(ends: ends, since: Self.start) }

    @Test(
        arguments: [
            // A start that fails is tried again, later and later.
            (.starting(ends: 0), 0, false, .restart(ends: 1), .backingOff(ends: 1)),
            (.starting(ends: 9), 99, false, .restart(ends: 10), .backingOff(ends: 10)),
            // It said itself that another try cannot go better.
            (.starting(ends: 0), 0, true, .finish, .stopped),
            // One that was ready is always started again, and the sooner the longer it was.
            (Self.ready(0), 0, false, .restart(ends: 1), .backingOff(ends: 1)),
            (Self.ready(0), 0, true, .restart(ends: 1), .backingOff(ends: 1)),
            (Self.ready(3), 4.9, false, .restart(ends: 4), .backingOff(ends: 4)),
            (Self.ready(3), 5, false, .restart(ends: 3), .backingOff(ends: 3)),
            (Self.ready(0), 5, false, .restart(ends: 1), .backingOff(ends: 1)),
            (Self.ready(3), 59.9, false, .restart(ends: 3), .backingOff(ends: 3)),
            (Self.ready(30), 60, false, .restart(ends: 1), .backingOff(ends: 1)),
            (.draining, 0, false, .finish, .stopped),
            (.stopped, 0, false, .finish, .stopped),
        ] as [(WorkerState, Double, Bool, WorkerState.OnExit, WorkerState)]
    )
    func `the end of a process has its consequence`(
        state: WorkerState,
        after seconds: Double,
        isFinal: Bool,
        consequence: WorkerState.OnExit,
        next: WorkerState
    ) {
        var state = state
        #expect(state.exited(isFinal: isFinal, at: Self.start + .seconds(seconds)) == consequence)
        #expect(state == next)
    }

    @Test(
        arguments: [
            (.starting(ends: 0), .draining), (Self.ready(0), .draining), (.draining, .draining),
            (.backingOff(ends: 3), .stopped), (.stopped, .stopped),
        ] as [(WorkerState, WorkerState)]
    )
    func `a drain lets what runs finish, and what does not run rest`(state: WorkerState, next: WorkerState) {
        var state = state
        state.beganDraining()
        #expect(state == next)
        state.becameReady(at: Self.start)
        #expect(state == next, "who was ready too late stays as it is")
    }

    @Test func `a start keeps the count of its ends`() {
        var state = WorkerState.backingOff(ends: 4)
        state.beganStart()
        #expect(state == .starting(ends: 4))
        state.becameReady(at: Self.start)
        #expect(state == Self.ready(4))
        #expect(state.isReady)
    }

    @Test(
        arguments: [
            (.starting(ends: 4), 0, nil), (.starting(ends: 5), 0, 5), (.backingOff(ends: 7), 0, 7),
            // It is told of while nobody knows whether this start lasts, and no longer.
            (Self.ready(5), 4.9, 5), (Self.ready(5), 5, nil), (Self.ready(4), 0, nil),
            (.draining, 0, nil), (.stopped, 0, nil),
        ] as [(WorkerState, Double, Int?)]
    )
    func `five ends in a row are a loop`(state: WorkerState, after seconds: Double, loop: Int?) {
        #expect(state.loop(at: Self.start + .seconds(seconds)) == loop)
    }

    /// A worker that dies on every request, and each time as soon as it is ready.
    @Test func `a worker that dies again and again waits longer and longer`() {
        var state = WorkerState.starting(ends: 0)
        var delays: [Duration] = []
        for _ in 0..<9 {
            state.becameReady(at: Self.start)
            guard case .restart(let ends) = state.exited(isFinal: false, at: Self.start) else { break }
            delays.append(RestartBackoff().delay(ends: ends, wasReady: true, jitter: 1))
            state.beganStart()
        }
        #expect(delays == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000].map { .milliseconds($0) })
    }
}
