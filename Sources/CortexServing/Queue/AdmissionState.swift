import DequeModule
import NIOCore

/// The admission queue of one version of an API, decided in values: who waits, who runs where, who is told what.
///
/// It knows no sockets and no clocks but the instants it is given. `AdmissionQueue` acts on what its methods return.
struct AdmissionState {
    typealias SlotIndex = Int

    enum Mode: Equatable {
        case open
        /// No worker can answer, and the next is not started before `until`: requests are refused at once.
        case failfast(reason: String, until: NIODeadline)
        /// Nothing new comes in; what is here is finished.
        case draining
    }

    enum Stage: Equatable {
        /// Waits for a slot. Next: `handed`.
        case queued
        /// With a worker, running or about to. Next: `streaming`, or `queued` again if the worker dies before it starts.
        case handed(SlotIndex)
        /// Its answer has begun.
        case streaming(SlotIndex)
    }

    struct Entry {
        var request: PredictRequest
        /// Nil once nobody waits for the answer: the client left, or has been told of the deadline.
        var responder: (any PredictResponder)?
        var arrival: NIODeadline
        var stage: Stage
        /// When its worker (or its slot, if it streams to nobody) is given up: a grace after the API's own deadline, or
        /// after the stream's reader was gone.
        var patience: NIODeadline
    }

    struct Slot {
        var worker: String
        /// In the order in which the worker got them, and will answer.
        var outstanding = Deque<UInt64>()
        /// The work after an answer (`post_predict`) is not done yet.
        var isResting = false
        /// It is known that the worker has never read the whole of the first outstanding request.
        var isFirstUnread = false
        /// Its worker may not come back: it gets nothing more until it has (`AdmissionState+Doubt.swift`).
        var isDoubtful = false
        /// Its process is stopped: it gets nothing until it goes on.
        var isStopped = false
        var mayTake: Bool { !self.isResting && !self.isDoubtful && !self.isStopped }
        /// Since when it has been at work on what it is at work on: its first outstanding request, or what follows an
        /// answer.
        var since = NIODeadline.uptimeNanoseconds(0)
    }

    /// Requests, queued and running, beyond which the next is refused.
    var limit: Int
    private let grace: TimeAmount
    private(set) var mode = Mode.open
    private(set) var entries: [UInt64: Entry] = [:]
    var slots: [Slot?] = []
    private var waiting = Deque<UInt64>()
    var idle: [SlotIndex] = []
    private var handOver: HandOverPolicy
    private var drainRate = DrainRate()
    /// Entries whose client still waits.
    private(set) var liveCount = 0

    /// - Parameters:
    ///   - grace: How long past the API's deadline a running request is borne before its worker is ended.
    ///   - handOverDepth: The most requests that one slot may hold at once.
    init(limit: Int, grace: TimeAmount, handOverDepth: Int) {
        self.limit = limit
        self.grace = grace
        self.handOver = HandOverPolicy(depth: handOverDepth)
    }

    var isEmpty: Bool { self.entries.isEmpty && self.slots.allSatisfy { $0?.isResting != true } }
    var slotCount: Int { self.slots.lazy.filter { $0 != nil }.count }
    var waitingCount: Int {
        self.entries.values.lazy.filter { $0.stage == .queued }.count
    }

    // MARK: Requests in

    /// Takes a request in, or says why not; what is taken in comes out of `nextDispatch`.
    mutating func submit(
        _ request: PredictRequest,
        _ responder: any PredictResponder,
        now: NIODeadline
    )
        -> PredictFailure?
    {
        if let refusal = self.refusal(now: now) { return refusal }
        guard request.deadline > now else { return .deadlineExceeded(started: false) }
        self.entries[request.id] = Entry(
            request: request,
            responder: responder,
            arrival: now,
            stage: .queued,
            patience: request.apiDeadline + self.grace
        )
        self.waiting.append(request.id)
        self.liveCount += 1
        return nil
    }

    /// Why a request would be refused now; nil where it would be taken in.
    func refusal(now: NIODeadline) -> PredictFailure? {
        switch self.mode {
        case .open: break
        case .failfast(let reason, let until):
            return .notReady(reason: reason, retryAfter: DrainRate.seconds(until: until, now: now))
        case .draining: return .draining
        }
        guard self.liveCount >= self.limit else { return nil }
        return .queueFull(depth: self.liveCount, limit: self.limit, retryAfter: self.timeToDrain(now: now))
    }

    private func timeToDrain(now: NIODeadline) -> Int {
        let busy = self.slots.lazy.compactMap { $0 }.filter { !$0.outstanding.isEmpty }
        let oldest = busy.map(\.since).min() ?? now
        return self.drainRate.seconds(for: self.liveCount, slots: self.slotCount, unfinished: now - oldest)
    }

    /// The next request that a slot can take, and which; nil when none waits or no slot has room.
    mutating func nextDispatch(now: NIODeadline) -> (slot: SlotIndex, request: PredictRequest)? {
        while let id = self.waiting.first {
            // Left while it waited; or its time is up, and `expire` is about to say so.
            guard let entry = self.entries[id], entry.request.deadline > now else {
                self.waiting.removeFirst()
                continue
            }
            guard let slot = self.pickSlot(for: entry.request, now: now) else { return nil }
            self.waiting.removeFirst()
            self.entries[id]?.stage = .handed(slot)
            if self.slots[slot]?.outstanding.isEmpty == true { self.slots[slot]?.since = now }
            self.slots[slot]?.outstanding.append(id)
            return (slot, entry.request)
        }
        return nil
    }

    private mutating func pickSlot(for request: PredictRequest, now: NIODeadline) -> SlotIndex? {
        if let slot = self.idle.popLast() { return slot }
        let depth = self.handOver.depth
        guard depth > 1, request.isLight else { return nil }
        var best: (slot: SlotIndex, count: Int)?
        for (index, slot) in self.slots.enumerated() {
            guard let slot, slot.mayTake, now - slot.since < HandOverPolicy.threshold else {
                continue
            }
            let count = slot.outstanding.count
            if count < depth, count < best?.count ?? .max { best = (index, count) }
        }
        return best?.slot
    }

    // MARK: Slots

    mutating func slotOpened(worker: String) -> SlotIndex {
        let slot = Slot(worker: worker)
        let index: SlotIndex
        if let free = self.slots.firstIndex(where: { $0 == nil }) {
            self.slots[free] = slot
            index = free
        } else {
            self.slots.append(slot)
            index = self.slots.count - 1
        }
        self.idle.append(index)
        if case .failfast = self.mode { self.mode = .open }
        return index
    }

    /// The frame of this request could not be written.
    mutating func wasNotDelivered(_ id: UInt64, to index: SlotIndex) {
        guard self.slots[index]?.outstanding.first == id else { return }
        self.slots[index]?.isFirstUnread = true
    }

    /// The worker ended and left bytes unread: where it had one request only, these were the end of that one.
    mutating func wasReset(_ index: SlotIndex) {
        guard let slot = self.slots[index], slot.outstanding.count == 1, let id = slot.outstanding.first else { return }
        self.slots[index]?.isFirstUnread = self.entries[id]?.stage == .handed(index)
    }

    /// The slot is gone: its first unanswered request may have been started and is returned; the others wait again, in
    /// front, in their order.
    mutating func slotClosed(_ index: SlotIndex) -> Entry? {
        guard let slot = self.slots[index] else { return nil }
        self.slots[index] = nil
        self.idle.removeAll { $0 == index }
        var unstarted = slot.outstanding
        var started: Entry?
        // While the slot rests, the work after an earlier answer ran, and none of those that wait in it was started.
        let mayHaveStarted = !slot.isResting && !slot.isFirstUnread
        if mayHaveStarted, let first = unstarted.popFirst() { started = self.remove(first) }
        for id in unstarted.reversed() {
            // Nobody waits for it any more: there is no reason to run it elsewhere.
            if self.entries[id]?.responder == nil {
                self.entries[id] = nil
            } else {
                self.entries[id]?.stage = .queued
                self.waiting.prepend(id)
            }
        }
        return started
    }

    /// What a frame from a slot means; nil where no peer of the protocol would send it now.
    ///
    /// - Parameter predict: Nil where `predict` was not called.
    mutating func answered(
        _ id: UInt64,
        by index: SlotIndex,
        predict: TimeAmount?,
        workFollows: Bool,
        now: NIODeadline
    ) -> Entry? {
        guard self.slots[index]?.outstanding.first == id, let entry = self.remove(id) else { return nil }
        self.slots[index]?.outstanding.removeFirst()
        self.slots[index]?.isResting = workFollows
        if !workFollows { self.becameFree(index, wasAtWork: predict != nil, now: now) }
        // Work after an answer delays what waits in the slot just as a slow `predict` does.
        if workFollows {
            self.handOver.record(HandOverPolicy.threshold)
        } else if let predict {
            self.handOver.record(predict)
        }
        if self.slots[index]?.isDoubtful == true { self.cameBack(index, now: now) }
        self.markIdle(index)
        return entry
    }

    mutating func streamBegan(_ id: UInt64, by index: SlotIndex) -> Entry? {
        guard self.slots[index]?.outstanding.first == id else { return nil }
        self.entries[id]?.stage = .streaming(index)
        // A stream holds its slot for long: nothing is handed over early behind one.
        self.handOver.record(HandOverPolicy.threshold)
        return self.entries[id]
    }

    /// The request whose stream this slot sends.
    func streaming(_ id: UInt64, by index: SlotIndex) -> Entry? {
        guard let entry = self.entries[id], entry.stage == .streaming(index) else { return nil }
        return entry
    }

    mutating func rested(_ index: SlotIndex, now: NIODeadline) {
        self.slots[index]?.isResting = false
        self.becameFree(index, wasAtWork: true, now: now)
        self.markIdle(index)
    }

    /// The slot is done with one request, and turns to the next if it has one.
    private mutating func becameFree(_ index: SlotIndex, wasAtWork: Bool, now: NIODeadline) {
        guard let since = self.slots[index]?.since else { return }
        if wasAtWork { self.drainRate.record(now - since) }
        self.slots[index]?.since = now
    }

    mutating func markIdle(_ index: SlotIndex) {
        guard let slot = self.slots[index], slot.mayTake, slot.outstanding.isEmpty else { return }
        self.idle.append(index)
    }

    private mutating func remove(_ id: UInt64) -> Entry? {
        guard let entry = self.entries.removeValue(forKey: id) else { return nil }
        if entry.responder != nil { self.liveCount -= 1 }
        return entry
    }

    // MARK: Leaving

    /// The client left.
    ///
    /// Returns the slot whose worker has to be told; nil where the request had not left the queue.
    mutating func cancel(_ id: UInt64, now: NIODeadline) -> SlotIndex? {
        guard let entry = self.entries[id], entry.responder != nil else { return nil }
        switch entry.stage {
        case .queued:
            _ = self.remove(id)
            self.forgetGone()
            return nil
        case .handed(let slot):
            self.abandon(id)
            return slot
        case .streaming(let slot):
            self.abandon(id)
            self.entries[id]?.patience = min(entry.patience, now + self.grace)
            return slot
        }
    }

    /// Whether its slot has come to this request; one that was handed over early waits there for those before it.
    private func mayHaveStarted(_ id: UInt64, in index: SlotIndex) -> Bool {
        guard let slot = self.slots[index] else { return false }
        return !slot.isResting && slot.outstanding.first == id
    }

    /// Those that left are skipped when their turn comes; where no turn comes, they must not pile up.
    private mutating func forgetGone() {
        guard self.waiting.count > 64, self.waiting.count > 2 * self.liveCount else { return }
        self.waiting.removeAll { self.entries[$0] == nil }
    }

    private mutating func abandon(_ id: UInt64) {
        self.entries[id]?.responder = nil
        self.liveCount -= 1
    }

    mutating func expire(now: NIODeadline) -> Expiry {
        var expiry = Expiry()
        for (id, entry) in self.entries {
            if entry.responder != nil, entry.request.deadline <= now {
                switch entry.stage {
                case .queued:
                    _ = self.remove(id)
                    expiry.overdue.append(Expiry.Overdue(entry: entry, slot: nil, started: false))
                case .handed(let slot):
                    self.abandon(id)
                    let started = self.mayHaveStarted(id, in: slot)
                    expiry.overdue.append(Expiry.Overdue(entry: entry, slot: slot, started: started))
                case .streaming(let slot):
                    self.abandon(id)
                    // Where only the client's time is up the worker may still be within its own: its slot is taken, not
                    // its life.
                    if now < entry.request.apiDeadline {
                        self.entries[id]?.patience = min(entry.patience, now + self.grace)
                    }
                    expiry.overdue.append(Expiry.Overdue(entry: entry, slot: slot, started: true))
                }
            }
            guard let entry = self.entries[id] else { continue }
            if entry.responder == nil, entry.patience <= now {
                self.giveUp(id, entry, &expiry)
            } else {
                let next = self.nextLook(at: id, entry, now: now)
                expiry.next = min(expiry.next ?? next, next)
            }
        }
        return expiry
    }

    /// When time changes something for a request again.
    private mutating func nextLook(at id: UInt64, _ entry: Entry, now: NIODeadline) -> NIODeadline {
        guard entry.responder == nil else { return entry.request.deadline }
        switch entry.stage {
        case .queued: break
        case .handed(let slot), .streaming(let slot):
            guard entry.request.apiDeadline <= now else { return min(entry.patience, entry.request.apiDeadline) }
            self.doubt(id, in: slot)
        }
        return entry.patience
    }

    private func giveUp(_ id: UInt64, _ entry: Entry, _ expiry: inout Expiry) {
        switch entry.stage {
        case .queued: break
        case .streaming(let index) where entry.request.apiDeadline + self.grace > entry.patience:
            expiry.hopelessSlots.append(index)
        case .handed(let index), .streaming(let index):
            // Only the first runs; those behind it wait for it and go with it.
            guard let slot = self.slots[index], slot.outstanding.first == id else { return }
            expiry.hopelessWorkers[slot.worker] = entry.request.requestID
        }
    }

    // MARK: Mode

    /// Refuses from now on; returns those that waited in the queue.
    mutating func failfast(reason: String, until: NIODeadline) -> [Entry] {
        guard self.mode != .draining, self.slotCount == 0 else { return [] }
        self.mode = .failfast(reason: reason, until: until)
        let waited = self.waiting.compactMap { self.remove($0) }
        self.waiting.removeAll()
        return waited
    }

    mutating func drain() { self.mode = .draining }

    /// Takes out everything that is still here (a drain that came to its end).
    mutating func removeAll() -> [Entry] {
        let all = Array(self.entries.values)
        self.entries.removeAll()
        self.waiting.removeAll()
        self.liveCount = 0
        return all
    }
}
