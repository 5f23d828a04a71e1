import NIOCore
import Testing

@testable import CortexServing

/// Who waits, who runs where, who is told what: without a socket, a clock or a task.
@Suite struct AdmissionStateTests {
    private var state = AdmissionState(replicaLimit: 8, grace: .seconds(5), handOverDepth: 4)

    private mutating func submit(_ ids: UInt64...) {
        for id in ids { #expect(self.state.submit(request(id), SilentSender(), now: second(0)) == nil) }
    }

    /// All that can be dispatched now, as slot and request.
    private mutating func dispatched(now: NIODeadline = second(0)) -> [[UInt64]] {
        var found: [[UInt64]] = []
        while let (slot, request) = self.state.nextDispatch(now: now) { found.append([UInt64(slot), request.id]) }
        return found
    }

    /// Answers requests quickly, so that requests are handed over early.
    private mutating func warmUp() {
        for id in 1000..<UInt64(1000 + HandOverPolicy.enough) {
            self.submit(id)
            for pair in self.dispatched() {
                #expect(
                    self.state.answered(pair[1], by: Int(pair[0]), predict: .zero, workFollows: false, now: second(0))
                        != nil
                )
            }
        }
        #expect(self.state.isEmpty)
    }

    @Test mutating func `requests go to free slots in their order, and the others wait`() {
        self.submit(1, 2, 3)
        #expect(self.dispatched() == [])
        let first = self.state.slotOpened(worker: "a")
        let other = self.state.slotOpened(worker: "b")
        #expect(Set(self.dispatched()) == [[UInt64(other), 1], [UInt64(first), 2]])
        #expect(self.state.waitingCount == 1)
        #expect(
            self.state.answered(2, by: first, predict: .milliseconds(9), workFollows: false, now: second(0))?.request.id
                == 2
        )
        #expect(self.dispatched() == [[UInt64(first), 3]])
    }

    @Test mutating func `one more than the limit is refused, and a place that gets free is given away`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1, 2, 3, 4, 5, 6, 7, 8)
        #expect(self.dispatched().count == 1)
        let refused = self.state.submit(request(9), SilentSender(), now: second(0))
        #expect(refused == .queueFull(depth: 8, limit: 8, retryAfter: 1))
        #expect(self.state.cancel(5, now: second(0)) == nil)
        #expect(self.state.submit(request(9), SilentSender(), now: second(0)) == nil)
        #expect(self.state.submit(request(10), SilentSender(), now: second(0)) != nil)
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0)) != nil)
        #expect(self.state.submit(request(10), SilentSender(), now: second(0)) == nil)
    }

    @Test mutating func `an answer out of turn is no answer`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1, 2)
        _ = self.dispatched()
        #expect(self.state.answered(2, by: slot, predict: .zero, workFollows: false, now: second(0)) == nil)
        #expect(self.state.streamBegan(2, by: slot) == nil)
        #expect(self.state.streaming(1, by: slot) == nil)
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0)) != nil)
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0)) == nil)
    }

    // MARK: Early hand-over

    @Test mutating func `requests are handed over early only once many in a row were quick`() {
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.submit(1, 2)
        #expect(self.dispatched() == [[slot, 1]])
        #expect(self.state.answered(1, by: 0, predict: .zero, workFollows: false, now: second(0)) != nil)
        #expect(self.dispatched() == [[slot, 2]])
        #expect(self.state.answered(2, by: 0, predict: .zero, workFollows: false, now: second(0)) != nil)
        self.warmUp()
        self.submit(3, 4, 5, 6, 7)
        #expect(self.dispatched() == [[slot, 3], [slot, 4], [slot, 5], [slot, 6]])
    }

    @Test mutating func `nothing is handed over early behind a request that has run for long itself`() {
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.warmUp()
        let start = second(1)
        self.submit(1, 2)
        #expect(self.dispatched(now: start) == [[slot, 1], [slot, 2]])
        self.submit(3)
        #expect(self.dispatched(now: start + HandOverPolicy.threshold) == [])
        // The second begins when the first has been answered: what counts is how long it has run itself.
        let later = start + .seconds(1)
        #expect(self.state.answered(1, by: 0, predict: .zero, workFollows: false, now: later) != nil)
        #expect(self.dispatched(now: later + .milliseconds(1)) == [[slot, 3]])
        self.submit(4)
        #expect(self.dispatched(now: later + .milliseconds(2)) == [])
    }

    @Test mutating func `where nothing is to be handed over early, nothing is`() {
        self.state = AdmissionState(replicaLimit: 8, grace: .seconds(5), handOverDepth: 1)
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.warmUp()
        self.submit(1, 2)
        #expect(self.dispatched() == [[slot, 1]])
    }

    @Test mutating func `the bound holds with what is handed over early, exactly`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2, 3, 4, 5, 6, 7)
        #expect(self.dispatched().count == 4)
        #expect(self.state.refusal(now: second(0)) == nil)
        self.submit(8)
        let full = PredictFailure.queueFull(depth: 8, limit: 8, retryAfter: 1)
        #expect(self.state.refusal(now: second(0)) == full)
        #expect(self.state.submit(request(9), SilentSender(), now: second(0)) == full)
        #expect(self.state.liveCount == 8)
        #expect(self.state.cancel(2, now: second(0)) == slot)
        #expect(self.state.refusal(now: second(0)) == nil)
    }

    @Test mutating func `who is refused hears how long those take that are here`() {
        let slot = self.state.slotOpened(worker: "a")
        for id in 100..<UInt64(140) {
            self.submit(id)
            _ = self.dispatched(now: second(10))
            #expect(self.state.answered(id, by: slot, predict: .seconds(2), workFollows: true, now: second(12)) != nil)
            self.state.rested(slot, now: second(13))
        }
        self.submit(1, 2, 3, 4, 5, 6, 7, 8)
        // Three seconds each, the work after the answer included.
        #expect(self.state.refusal(now: second(20)) == .queueFull(depth: 8, limit: 8, retryAfter: 24))
    }

    @Test mutating func `a large body waits for a free slot`() {
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.warmUp()
        self.submit(1)
        let large = request(2, body: .spooled(path: "/spool/2"))
        #expect(self.state.submit(large, SilentSender(), now: second(0)) == nil)
        #expect(self.dispatched() == [[slot, 1]])
    }

    @Test mutating func `a call of another API waits for a free slot`() {
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.warmUp()
        self.submit(1)
        // It may be number 1 that waits for it: behind that it would never run, whatever slots become free.
        #expect(self.state.submit(request(2, hops: 1), SilentSender(), now: second(0)) == nil)
        #expect(self.dispatched() == [[slot, 1]])
    }

    @Test mutating func `nothing is handed over early behind work after an answer`() {
        let slot = UInt64(self.state.slotOpened(worker: "a"))
        self.warmUp()
        self.submit(1)
        _ = self.dispatched()
        #expect(self.state.answered(1, by: 0, predict: .zero, workFollows: true, now: second(0)) != nil)
        self.submit(2)
        #expect(self.dispatched() == [])
        #expect(!self.state.isEmpty)
        self.state.rested(0, now: second(0))
        #expect(self.dispatched() == [[slot, 2]])
    }

    // MARK: A slot that closes

    @Test mutating func `only the first unanswered request of a dead worker is lost, the others go first`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2, 3, 4, 5, 6)
        #expect(self.dispatched().count == 4)
        #expect(self.state.slotClosed(slot)?.request.id == 1)
        #expect(self.state.slotClosed(slot) == nil)
        let other = UInt64(self.state.slotOpened(worker: "b"))
        #expect(self.dispatched().map { $0[1] } == [2, 3, 4, 5])
        #expect(other == UInt64(slot), "the place of a closed slot is used again")
    }

    @Test mutating func `a worker that dies in the work after an answer loses no request`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: true, now: second(0)) != nil)
        #expect(self.state.slotClosed(slot) == nil)
        _ = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [2])
    }

    @Test mutating func `a request that could not be written was not started`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1)
        _ = self.dispatched()
        self.state.wasNotDelivered(99, to: slot)
        self.state.wasNotDelivered(1, to: slot)
        #expect(self.state.slotClosed(slot) == nil)
        _ = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [1])
    }

    @Test mutating func `a request that was left unread was not started`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1)
        _ = self.dispatched()
        self.state.wasReset(slot)
        #expect(self.state.slotClosed(slot) == nil)
        _ = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [1])
    }

    @Test mutating func `what was not sent was not started, what was sent before it may have been`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        self.state.wereNotSent(1, to: slot)
        #expect(self.state.slotClosed(slot)?.request.id == 1)
        let other = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [2])
        self.submit(3)
        _ = self.dispatched()
        self.state.wereNotSent(2, to: other)
        #expect(self.state.slotClosed(other) == nil)
        _ = self.state.slotOpened(worker: "c")
        #expect(self.dispatched().map { $0[1] } == [2, 3])
    }

    @Test mutating func `a worker that retires has begun nothing more`() throws {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0)) != nil)
        self.state.retires(slot)
        #expect(self.state.slotClosed(slot) == nil)
        _ = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [2])
    }

    @Test mutating func `of several, what was left unread may be the last, and the first may have been started`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        self.state.wasReset(slot)
        #expect(self.state.slotClosed(slot)?.request.id == 1)
    }

    @Test mutating func `a stream that breaks off has been started`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1)
        _ = self.dispatched()
        #expect(self.state.streamBegan(1, by: slot)?.request.id == 1)
        self.state.wasReset(slot)
        #expect(self.state.slotClosed(slot)?.stage == .streaming(slot))
    }

    // MARK: Clients that leave

    @Test mutating func `a request whose client left is not dispatched`() {
        self.submit(1, 2)
        #expect(self.state.cancel(1, now: second(1)) == nil)
        #expect(self.state.cancel(1, now: second(1)) == nil)
        _ = self.state.slotOpened(worker: "a")
        #expect(self.dispatched().map { $0[1] } == [2])
    }

    @Test mutating func `a running request whose client left keeps its slot, and its place in the queue is free`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1, 2)
        _ = self.dispatched()
        #expect(self.state.cancel(1, now: second(1)) == slot)
        #expect(self.state.liveCount == 1)
        #expect(self.dispatched() == [])
        let entry = self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0))
        #expect(entry != nil && entry?.responder == nil)
        #expect(self.state.liveCount == 1)
        #expect(self.dispatched().map { $0[1] } == [2])
    }

    @Test mutating func `a handed-over request whose client left is not run again after a crash`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2, 3)
        _ = self.dispatched()
        #expect(self.state.cancel(2, now: second(1)) == slot)
        #expect(self.state.slotClosed(slot)?.request.id == 1)
        _ = self.state.slotOpened(worker: "b")
        #expect(self.dispatched().map { $0[1] } == [3])
        #expect(self.state.liveCount == 1)
    }

    @Test mutating func `a stream that nobody reads is cut after the grace`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1)
        _ = self.dispatched()
        _ = self.state.streamBegan(1, by: slot)
        #expect(self.state.cancel(1, now: second(10)) == slot)
        #expect(self.state.expire(now: second(14)).hopelessSlots == [])
        let expiry = self.state.expire(now: second(15))
        #expect(expiry.hopelessSlots == [slot])
        #expect(expiry.hopelessWorkers.isEmpty)
    }

    // MARK: Deadlines

    @Test mutating func `the deadline of a request that waits ends its waiting`() {
        self.submit(1)
        #expect(self.state.expire(now: second(99)).next == second(100))
        let expiry = self.state.expire(now: second(100))
        #expect(expiry.overdue.map(\.entry.request.id) == [1])
        #expect(expiry.overdue.first?.slot == nil)
        #expect(self.state.isEmpty)
        _ = self.state.slotOpened(worker: "a")
        #expect(self.dispatched() == [])
    }

    @Test mutating func `a request whose time is up is neither taken in nor dispatched`() {
        let late = self.state.submit(request(1, deadline: second(5)), SilentSender(), now: second(5))
        #expect(late == .deadlineExceeded(started: false))
        #expect(self.state.submit(request(2, deadline: second(5)), SilentSender(), now: second(4)) == nil)
        _ = self.state.slotOpened(worker: "a")
        #expect(self.dispatched(now: second(5)) == [])
        #expect(self.state.expire(now: second(5)).overdue.map(\.started) == [false])
        #expect(self.state.isEmpty)
    }

    @Test mutating func `of those handed over, only the first can have been started`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        let overdue = self.state.expire(now: second(100)).overdue
        #expect(overdue.allSatisfy { $0.slot == slot })
        #expect(overdue.filter(\.started).map(\.entry.request.id) == [1])
    }

    @Test mutating func `a client's own deadline costs no worker its life before the API's`() {
        let slot = self.state.slotOpened(worker: "a")
        let hasty = request(1, deadline: second(1), apiDeadline: second(100))
        #expect(self.state.submit(hasty, SilentSender(), now: second(0)) == nil)
        _ = self.dispatched()
        #expect(self.state.expire(now: second(1)).overdue.map(\.slot) == [slot])
        #expect(self.state.expire(now: second(99)).hopelessWorkers.isEmpty)
        #expect(self.state.expire(now: second(105)).hopelessWorkers == ["a": "r-1"])
    }

    @Test mutating func `a stream that outlives its client's deadline loses its slot, not its worker`() {
        let slot = self.state.slotOpened(worker: "a")
        let hasty = request(1, deadline: second(1), apiDeadline: second(100))
        #expect(self.state.submit(hasty, SilentSender(), now: second(0)) == nil)
        _ = self.dispatched()
        _ = self.state.streamBegan(1, by: slot)
        #expect(self.state.expire(now: second(1)).overdue.map(\.started) == [true])
        let expiry = self.state.expire(now: second(6))
        #expect(expiry.hopelessSlots == [slot])
        #expect(expiry.hopelessWorkers.isEmpty)
    }

    @Test mutating func `a worker that runs past the deadline and the grace is given up`() {
        let slot = self.state.slotOpened(worker: "a")
        self.warmUp()
        self.submit(1, 2)
        _ = self.dispatched()
        let expiry = self.state.expire(now: second(100))
        #expect(Set(expiry.overdue.map(\.entry.request.id)) == [1, 2])
        #expect(expiry.overdue.allSatisfy { $0.slot == slot })
        #expect(expiry.hopelessWorkers.isEmpty)
        #expect(expiry.next == second(105))
        #expect(self.state.liveCount == 0)
        #expect(self.state.expire(now: second(104)).overdue.isEmpty, "nobody is told twice")
        #expect(self.state.expire(now: second(105)).hopelessWorkers == ["a": "r-1"])
    }

    // MARK: Modes

    @Test mutating func `where no worker stays alive, those that wait are told, until a slot opens`() {
        self.submit(1, 2)
        #expect(self.state.failfast(reason: "why", until: second(7)).map(\.request.id) == [1, 2])
        let refused = self.state.submit(request(3), SilentSender(), now: second(0))
        #expect(refused == .notReady(reason: "why", retryAfter: 7))
        #expect(self.state.liveCount == 0)
        // The next start failed as well: what is told is the latest.
        #expect(self.state.failfast(reason: "why", until: second(40)).isEmpty)
        #expect(self.state.refusal(now: second(10)) == .notReady(reason: "why", retryAfter: 30))
        _ = self.state.slotOpened(worker: "a")
        self.submit(4)
        #expect(self.dispatched().map { $0[1] } == [4])
    }

    @Test mutating func `where another slot is open, nobody is refused`() {
        _ = self.state.slotOpened(worker: "a")
        self.submit(1)
        #expect(self.state.failfast(reason: "why", until: second(7)).isEmpty)
        #expect(self.state.mode == .open)
        self.submit(2)
    }

    @Test mutating func `a drain finishes what is here, the work after the answers included`() {
        let slot = self.state.slotOpened(worker: "a")
        self.submit(1, 2)
        _ = self.dispatched()
        self.state.drain()
        #expect(self.state.submit(request(3), SilentSender(), now: second(0)) == .draining)
        #expect(self.state.answered(1, by: slot, predict: .zero, workFollows: false, now: second(0)) != nil)
        #expect(self.dispatched().map { $0[1] } == [2])
        #expect(self.state.answered(2, by: slot, predict: .zero, workFollows: true, now: second(0)) != nil)
        #expect(!self.state.isEmpty)
        self.state.rested(slot, now: second(0))
        #expect(self.state.isEmpty)
    }

    @Test mutating func `a drain that came to its end gives up everything once`() {
        _ = self.state.slotOpened(worker: "a")
        self.submit(1, 2)
        _ = self.dispatched()
        self.state.drain()
        #expect(Set(self.state.removeAll().map(\.request.id)) == [1, 2])
        #expect(self.state.removeAll().isEmpty)
        #expect(self.state.liveCount == 0)
    }
}
