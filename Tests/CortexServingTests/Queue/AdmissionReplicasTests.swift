import NIOCore
import Testing

@testable import CortexServing

/// Which replicas get what: a queue has those of all versions of an API.
@Suite struct AdmissionReplicasTests {
    private var state = AdmissionState(replicaLimit: 2, grace: .seconds(5), handOverDepth: 4)

    /// A replica that is let in, with a slot.
    private mutating func serve(_ replica: String, version: Int = 1) -> AdmissionState.SlotIndex {
        self.state.join(replica, version: version)
        self.state.admit(replica, arguments: .payload)
        return self.open("\(replica)-0", of: replica)
    }

    /// A slot of a worker that is ready.
    private mutating func open(_ worker: String, of replica: String) -> AdmissionState.SlotIndex {
        self.state.workerBecameReady(worker)
        return self.state.slotOpened(worker: worker, replica: replica)
    }

    private mutating func submit(_ ids: UInt64...) {
        for id in ids { #expect(self.state.submit(request(id), SilentSender(), now: second(0)) == nil) }
    }

    private mutating func dispatched() -> [AdmissionState.SlotIndex: UInt64] {
        var found: [AdmissionState.SlotIndex: UInt64] = [:]
        while let (slot, request) = self.state.nextDispatch(now: second(0)) { found[slot] = request.id }
        return found
    }

    private mutating func answer(_ id: UInt64, by slot: AdmissionState.SlotIndex) {
        let entry = self.state.answered(id, by: slot, predict: .zero, workFollows: false, now: second(0))
        #expect(entry != nil)
    }

    @Test mutating func `a replica gets nothing before it is let in, and all that waits then`() {
        self.state.join("new", version: 2)
        let slot = self.open("new-0", of: "new")
        self.submit(1)
        #expect(self.dispatched() == [:])
        #expect(self.state.readiness == .noSlots)
        self.state.admit("new", arguments: .payload)
        #expect(self.dispatched() == [slot: 1])
        #expect(self.state.readiness == .able)
    }

    @Test mutating func `a worker that comes later to a replica that is in gets requests at once`() {
        _ = self.serve("one")
        let later = self.open("one-1", of: "one")
        self.submit(1, 2)
        #expect(self.dispatched().keys.contains(later))
    }

    @Test mutating func `a worker gets nothing before it is ready, also where its replica is in`() {
        let slot = self.serve("one")
        self.state.workerEnded("one-0")
        _ = self.state.slotClosed(slot)
        let again = self.state.slotOpened(worker: "one-0", replica: "one")
        self.submit(1)
        #expect(self.dispatched() == [:])
        self.state.workerBecameReady("one-0")
        #expect(self.dispatched() == [again: 1])
    }

    @Test mutating func `one that drains finishes what it has, and gets nothing more`() {
        let old = self.serve("old")
        self.submit(1)
        #expect(self.dispatched() == [old: 1])
        let new = self.serve("new", version: 2)
        self.state.drain("old")
        #expect(!self.state.isResting("old"))
        self.submit(2)
        #expect(self.dispatched() == [new: 2])
        self.answer(1, by: old)
        #expect(self.state.isResting("old"))
        self.answer(2, by: new)
        self.submit(3, 4)
        #expect(self.dispatched() == [new: 3])
    }

    @Test mutating func `each replica that could serve adds to the bound`() {
        #expect(self.state.limit == 2)
        let one = self.serve("one")
        #expect(self.state.limit == 2)
        _ = self.serve("two")
        #expect(self.state.limit == 4)
        self.state.join("waits", version: 2)
        _ = self.open("waits-0", of: "waits")
        #expect(self.state.limit == 4)
        _ = self.state.slotClosed(one)
        #expect(self.state.limit == 2)
        self.state.drain("two")
        self.state.leave("two")
        #expect(self.state.limit == 2, "one replica's worth, as one may come")
    }

    @Test mutating func `what a failing replica could not take goes to the others`() {
        let one = self.serve("one")
        _ = self.serve("two")
        self.submit(1)
        _ = self.state.slotClosed(one)
        #expect(self.state.failfast("one", reason: "why", until: second(9)).isEmpty)
        #expect(self.state.mode == .open)
    }

    @Test mutating func `where all fail it is refused until the first may be back`() {
        for replica in ["one", "two"] {
            let slot = self.serve(replica)
            _ = self.state.slotClosed(slot)
        }
        self.submit(1)
        #expect(self.state.failfast("one", reason: "first", until: second(9)).isEmpty)
        #expect(self.state.failfast("two", reason: "second", until: second(7)).map(\.request.id) == [1])
        #expect(self.state.refusal(now: second(0)) == .notReady(reason: "second", retryAfter: 7))
        _ = self.open("one-0", of: "one")
        #expect(self.state.refusal(now: second(0)) == nil)
    }

    @Test mutating func `a new version that fails to start refuses nobody`() {
        self.state.join("new", version: 2)
        self.submit(1)
        #expect(self.state.failfast("new", reason: "why", until: second(9)).isEmpty)
        #expect(self.state.refusal(now: second(0)) == nil)
    }

    @Test mutating func `a sample goes past what waits, to a replica that is not in, and counts as nothing`() {
        let old = self.serve("old")
        self.submit(1, 2)
        #expect(self.dispatched() == [old: 1])
        self.state.join("new", version: 2)
        let new = self.open("new-0", of: "new")
        #expect(self.state.submitSample(request(100), to: "new-0", SilentSender(), now: second(0)) == new)
        #expect(self.state.submitSample(request(101), to: "new-0", SilentSender(), now: second(0)) == nil, "it is busy")
        #expect(self.state.submitSample(request(102), to: "old-0", SilentSender(), now: second(0)) == nil, "it is in")
        #expect(self.state.liveCount == 2)
        #expect(self.dispatched() == [:])
        self.answer(100, by: new)
        #expect(self.state.liveCount == 2)
        #expect(self.dispatched() == [:], "it is not let in by that")
        self.state.admit("new", arguments: .payload)
        #expect(self.dispatched() == [new: 2])
    }

    @Test mutating func `what one still has in the end is given up, and the others keep theirs`() {
        let old = self.serve("old")
        self.submit(1)
        _ = self.dispatched()
        let new = self.serve("new")
        self.submit(2)
        #expect(self.dispatched() == [new: 2])
        self.state.drain("old")
        #expect(self.state.abandon("old").map(\.request.id) == [1])
        #expect(self.state.liveCount == 1)
        #expect(self.state.abandon("old").isEmpty, "once")
        #expect(self.state.slotClosed(old)?.responder == nil)
        self.answer(2, by: new)
        #expect(self.state.isEmpty)
    }

    // MARK: Versions that name other parts of a request

    /// A sender whose request can be made again.
    private struct Remaking: PredictResponder {
        func receive(_ event: PredictEvent) {}

        func request(for arguments: PredictArguments) -> PredictRequest? {
            CortexServingTests.request(1, arguments: arguments, body: .inline(ByteBuffer(string: "whole")))
        }
    }

    @Test mutating func `a request that was made for another version is made anew for the one that takes it`() {
        self.state.join("new", version: 2)
        self.state.admit("new", arguments: [.payload, .headers])
        #expect(self.state.submit(request(1), Remaking(), now: second(0)) == nil)
        _ = self.open("new-0", of: "new")
        let taken = self.state.nextDispatch(now: second(0))
        #expect(taken?.request.arguments == [.payload, .headers])
        #expect(taken?.request.body == .inline(ByteBuffer(string: "whole")))
    }
}
