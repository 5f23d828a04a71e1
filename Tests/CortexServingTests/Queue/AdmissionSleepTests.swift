import NIOCore
import Testing

@testable import CortexServing

/// An API that has no replica until somebody asks for one.
@Suite struct AdmissionSleepTests {
    private var state = AdmissionState(
        replicaLimit: 3,
        grace: .seconds(5),
        handOverDepth: 4,
        wakeTimeout: .seconds(30)
    )

    /// Takes a request in, as the queue does; whether a replica is asked for then.
    private mutating func submit(
        _ id: UInt64,
        deadline: NIODeadline = second(100),
        now: NIODeadline = second(0)
    ) -> Bool {
        #expect(self.state.submit(request(id, deadline: deadline), SilentSender(), now: now) == nil)
        return self.dispatch() == [] && self.state.beginsWaking()
    }

    private mutating func dispatch() -> [UInt64] {
        var found: [UInt64] = []
        while let (_, request) = self.state.nextDispatch(now: second(0)) { found.append(request.id) }
        return found
    }

    @Test mutating func `the first of those that come asks for a replica, and all wait for it`() {
        self.state.setAsleep(true)
        #expect(self.state.readiness == .able)
        #expect(self.submit(1) == true)
        #expect(self.submit(2) == false)
        #expect(self.state.readiness == .able)
        // Its API wants a replica from now on.
        self.state.setAsleep(false)
        #expect(self.state.mode == .waking)
        _ = self.state.slotOpened(worker: "a")
        #expect(self.state.mode == .open)
        #expect(self.dispatch() == [1])
        #expect(self.state.waitingCount == 1)
    }

    @Test mutating func `no more wait than one replica bears`() {
        self.state.setAsleep(true)
        #expect(self.submit(1) == true)
        _ = (self.submit(2), self.submit(3))
        let refused = self.state.submit(request(4), SilentSender(), now: second(0))
        #expect(refused == .queueFull(depth: 3, limit: 3, retryAfter: 1))
    }

    @Test mutating func `the last replica takes what comes until it drains`() {
        _ = self.state.slotOpened(worker: "a")
        self.state.setAsleep(true)
        #expect(self.submit(1) == false)
        #expect(self.state.waitingCount == 0)
        // It waits for the only slot, which is about to take nothing more.
        #expect(self.submit(2) == false)
        self.state.drain("only")
        #expect(self.state.beginsWaking() == true)
    }

    @Test mutating func `a client that left wakes nobody`() {
        self.state.setAsleep(true)
        #expect(self.state.submit(request(1), SilentSender(), now: second(0)) == nil)
        #expect(self.state.cancel(1, now: second(0)) == nil)
        #expect(self.dispatch() == [])
        #expect(self.state.beginsWaking() == false)
    }

    @Test mutating func `nobody waits longer than the wake timeout, or than the own deadline`() {
        self.state.setAsleep(true)
        #expect(self.submit(1) == true)
        #expect(self.submit(2, deadline: second(10)) == false)
        #expect(self.state.firstLook(at: request(3), now: second(4)) == second(34))
        let early = self.state.expire(now: second(9))
        #expect(early.unwoken.isEmpty && early.overdue.isEmpty)
        #expect(early.next == second(10))
        #expect(self.state.expire(now: second(10)).overdue.map(\.entry.request.id) == [2])
        #expect(self.state.expire(now: second(29)).next == second(30))
        #expect(self.state.expire(now: second(30)).unwoken.map(\.request.id) == [1])
        #expect(self.state.liveCount == 0)
    }

    @Test mutating func `those that wait in an open queue have their own deadline only`() {
        #expect(self.submit(1) == false)
        #expect(self.state.expire(now: second(60)).unwoken.isEmpty == true)
    }

    @Test mutating func `a replica that does not come up refuses until one does`() {
        self.state.setAsleep(true)
        #expect(self.submit(1) == true)
        #expect(self.state.failWaking(reason: "broken", until: second(7)).map(\.request.id) == [1])
        #expect(self.state.refusal(now: second(0)) == .notReady(reason: "broken", retryAfter: 7))
        // The next start has failed too, and the one after it comes later.
        #expect(self.state.failWaking(reason: "again", until: second(9)).isEmpty == true)
        #expect(self.state.refusal(now: second(0)) == .notReady(reason: "again", retryAfter: 9))
        _ = self.state.slotOpened(worker: "a")
        #expect(self.state.refusal(now: second(0)) == nil)
    }

    @Test mutating func `what one of several replicas fails at is no news of the others`() {
        let slot = self.state.slotOpened(worker: "a")
        _ = self.state.slotClosed(slot)
        _ = self.state.failfast(reason: "all of them end", until: second(3))
        #expect(self.state.failWaking(reason: "one does not start", until: second(9)).isEmpty == true)
        #expect(self.state.refusal(now: second(0)) == .notReady(reason: "all of them end", retryAfter: 3))
    }

    @Test mutating func `one that is laid to sleep while it wakes is woken again by what waits`() {
        self.state.setAsleep(true)
        #expect(self.submit(1) == true)
        self.state.setAsleep(true)
        #expect(self.dispatch() == [])
        #expect(self.state.beginsWaking() == true)
    }

    @Test mutating func `one that is to have replicas again waits for them, or has them`() {
        self.state.setAsleep(true)
        self.state.setAsleep(false)
        #expect(self.state.mode == .waking)
        _ = self.state.slotOpened(worker: "a")
        self.state.setAsleep(true)
        self.state.setAsleep(false)
        #expect(self.state.mode == .open)
    }

    @Test mutating func `what drains for good does not wake`() {
        self.state.setAsleep(true)
        #expect(self.state.submit(request(1), SilentSender(), now: second(0)) == nil)
        self.state.drain()
        #expect(self.state.beginsWaking() == false)
        self.state.setAsleep(true)
        #expect(self.state.refusal(now: second(0)) == .draining)
    }
}
