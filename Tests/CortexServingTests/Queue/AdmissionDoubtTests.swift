import NIOCore
import Testing

@testable import CortexServing

/// What is done with a worker that may not come back.
@Suite struct AdmissionDoubtTests {
    private var state = AdmissionState(replicaLimit: 8, grace: .seconds(5), handOverDepth: 4)

    /// Two workers of two slots each, and a request that the first of them has for 10 seconds.
    private mutating func startLate() -> (late: AdmissionState.SlotIndex, sibling: AdmissionState.SlotIndex) {
        let sibling = self.state.slotOpened(worker: "a")
        let late = self.state.slotOpened(worker: "a")
        self.submit(1, deadline: second(10))
        #expect(self.dispatch() == [late: 1])
        return (late, sibling)
    }

    private mutating func submit(_ id: UInt64, deadline: NIODeadline = second(100), apiDeadline: NIODeadline? = nil) {
        let own = request(id, deadline: deadline, apiDeadline: apiDeadline)
        #expect(self.state.submit(own, SilentSender(), now: second(0)) == nil)
    }

    private mutating func dispatch(now: NIODeadline = second(0)) -> [AdmissionState.SlotIndex: UInt64] {
        var found: [AdmissionState.SlotIndex: UInt64] = [:]
        while let (slot, request) = self.state.nextDispatch(now: now) { found[slot] = request.id }
        return found
    }

    private mutating func answer(_ id: UInt64, by slot: AdmissionState.SlotIndex, at time: NIODeadline) {
        #expect(self.state.answered(id, by: slot, predict: .seconds(9), workFollows: false, now: time) != nil)
    }

    @Test mutating func `a worker with a request past its deadline gets nothing more`() {
        _ = self.startLate()
        #expect(self.state.expire(now: second(10)).overdue.count == 1)
        self.submit(2)
        #expect(self.dispatch(now: second(10)) == [:])
        #expect(self.state.readiness == .doubtful(slots: 2))
        let other = self.state.slotOpened(worker: "b")
        #expect(self.dispatch(now: second(10)) == [other: 2])
        #expect(self.state.readiness == .able)
    }

    @Test mutating func `a worker that comes back is as good as any`() {
        let (late, sibling) = self.startLate()
        _ = self.state.expire(now: second(10))
        self.answer(1, by: late, at: second(12))
        #expect(self.state.readiness == .able)
        self.submit(2)
        self.submit(3)
        #expect(Set(self.dispatch(now: second(12)).keys) == [late, sibling], "each slot is free once")
    }

    @Test mutating func `it comes back with the last request that is late`() {
        let (late, sibling) = self.startLate()
        self.submit(2, deadline: second(11))
        #expect(self.dispatch() == [sibling: 2])
        _ = self.state.expire(now: second(10))
        _ = self.state.expire(now: second(11))
        self.answer(1, by: late, at: second(12))
        #expect(self.state.readiness == .doubtful(slots: 2))
        self.answer(2, by: sibling, at: second(12))
        #expect(self.state.readiness == .able)
    }

    @Test mutating func `what its other threads run they may finish until the grace is over`() {
        let (_, sibling) = self.startLate()
        self.submit(2)
        #expect(self.dispatch() == [sibling: 2])
        #expect(self.state.expire(now: second(10)).hopelessWorkers.isEmpty)
        self.answer(2, by: sibling, at: second(14))
        self.submit(3)
        #expect(self.dispatch(now: second(14)) == [:])
        #expect(self.state.expire(now: second(15)).hopelessWorkers == ["a": "r-1"])
    }

    @Test mutating func `a client's own deadline casts no doubt before that of the API`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1, deadline: second(1), apiDeadline: second(10))
        #expect(self.dispatch() == [slot: 1])
        let expiry = self.state.expire(now: second(1))
        #expect(expiry.overdue.count == 1)
        #expect(expiry.next == second(10))
        #expect(self.state.readiness == .able)
        #expect(self.state.expire(now: second(10)).next == second(15))
        #expect(self.state.readiness == .doubtful(slots: 1))
    }

    @Test(
        arguments: [
            ("open", .noSlots), ("failfast", .refusing(reason: "why")), ("draining", .draining),
        ] as [(String, QueueReadiness)]
    )
    mutating func `without a slot the mode says why`(mode: String, readiness: QueueReadiness) {
        switch mode {
        case "failfast": #expect(self.state.failfast(reason: "why", until: second(1)).isEmpty)
        case "draining": self.state.drain()
        default: break
        }
        #expect(self.state.readiness == readiness)
    }

    @Test mutating func `a full queue is able`() {
        _ = self.state.slotOpened(worker: "a")
        for id in 1...8 { self.submit(UInt64(id)) }
        _ = self.dispatch()
        #expect(self.state.refusal(now: second(0)) != nil)
        #expect(self.state.readiness == .able)
    }
}
