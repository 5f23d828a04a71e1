import DequeModule
import NIOCore

/// The admission queue of an API, decided in values: who waits, who runs where, who is told what.
///
/// It knows no sockets and no clocks but the instants it is given. `AdmissionQueue` acts on what its methods return.
struct AdmissionState {
    typealias SlotIndex = Int

    enum Mode: Equatable {
        case open
        /// No worker can answer, and the next is not started before `until`: requests are refused at once.
        case failfast(reason: String, until: NIODeadline)
        /// No replica is wanted; what comes while there is none asks for one. Next: `waking`, `open`.
        case asleep
        /// A replica was asked for; what comes waits for it, no longer than `wakeTimeout`. Next: `open`, `failfast`.
        case waking
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
        /// Not a client's: it tells whether a replica may be let in, and counts as nothing.
        var isSample = false
    }

    /// Requests, queued and running, that each replica bears.
    var replicaLimit: Int
    let grace: TimeAmount
    /// How long a request waits for the replica that it, or one before it, has woken.
    let wakeTimeout: TimeAmount
    var mode = Mode.open
    var entries: [UInt64: Entry] = [:]
    /// The replicas, by name.
    var members: [String: Member] = [:]
    /// Workers that have said that they are ready, and have not ended since.
    var readyWorkers: Set<String> = []
    /// Of those that are let in, how many have a slot, and the slots of all of them.
    var ableReplicas = 0
    var slotCount = 0
    var slots: [Slot?] = []
    var waiting = Deque<UInt64>()
    var idle: [SlotIndex] = []
    private var handOver: HandOverPolicy
    private var drainRate = DrainRate()
    /// Entries whose client still waits.
    var liveCount = 0
    /// All that were ever taken in.
    private(set) var receivedCount: UInt64 = 0

    /// - Parameters:
    ///   - replicaLimit: Requests, queued and running, that each replica bears.
    ///   - grace: How long past the API's deadline a running request is borne before its worker is ended.
    ///   - handOverDepth: The most requests that one slot may hold at once.
    ///   - wakeTimeout: How long a request waits for a replica that has to be started for it.
    init(replicaLimit: Int, grace: TimeAmount, handOverDepth: Int, wakeTimeout: TimeAmount = .seconds(120)) {
        self.replicaLimit = replicaLimit
        self.grace = grace
        self.wakeTimeout = wakeTimeout
        self.handOver = HandOverPolicy(depth: handOverDepth)
    }

    /// Requests, queued and running, beyond which the next is refused: one replica's worth also while there is none, as
    /// one may be about to come.
    var limit: Int { self.replicaLimit * max(self.ableReplicas, 1) }
    var isEmpty: Bool { self.entries.isEmpty && self.slots.allSatisfy { $0?.isResting != true } }
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
        self.receivedCount &+= 1
        return nil
    }

    /// Why a request would be refused now; nil where it would be taken in.
    func refusal(now: NIODeadline) -> PredictFailure? {
        switch self.mode {
        case .open, .asleep, .waking: break
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
            guard let place = self.entries.index(forKey: id), self.entries.values[place].request.deadline > now else {
                self.waiting.removeFirst()
                continue
            }
            guard let slot = self.pickSlot(for: self.entries.values[place].request, now: now) else { return nil }
            self.waiting.removeFirst()
            return (slot, self.hand(place, to: slot, now: now))
        }
        return nil
    }

    private mutating func hand(
        _ place: Dictionary<UInt64, Entry>.Index,
        to index: SlotIndex,
        now: NIODeadline
    ) -> PredictRequest {
        self.entries.values[place].stage = .handed(index)
        let request = self.entries.values[place].request
        guard let slot = self.slots[index] else { return request }
        if slot.outstanding.isEmpty { slot.since = now }
        slot.outstanding.append(request.id)
        // It was made for the version that served when it came: another may name other parts of it.
        guard slot.arguments != request.arguments,
            let remade = self.entries.values[place].responder?.request(for: slot.arguments)
        else { return request }
        self.entries.values[place].request = remade
        return remade
    }

    /// Takes a sample in, and gives it to a free slot past all that waits.
    mutating func addSample(
        _ request: PredictRequest,
        _ responder: any PredictResponder,
        slot: SlotIndex,
        now: NIODeadline
    ) {
        self.entries[request.id] = Entry(
            request: request,
            responder: responder,
            arrival: now,
            stage: .handed(slot),
            patience: request.apiDeadline + self.grace,
            isSample: true
        )
        self.slots[slot]?.since = now
        self.slots[slot]?.outstanding.append(request.id)
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

    mutating func slotOpened(worker: String, replica: String) -> SlotIndex {
        let member = self.members[replica]
        let slot = Slot(
            worker: worker,
            replica: replica,
            isAdmitted: member?.stage == .admitted && self.readyWorkers.contains(worker),
            arguments: member?.arguments ?? []
        )
        let index: SlotIndex
        if let free = self.slots.firstIndex(where: { $0 == nil }) {
            self.slots[free] = slot
            index = free
        } else {
            self.slots.append(slot)
            index = self.slots.count - 1
        }
        self.members[replica]?.openSlots += 1
        self.members[replica]?.failure = nil
        self.noteMembers()
        self.markIdle(index)
        return index
    }

    /// The frame of this request could not be written.
    mutating func wasNotDelivered(_ id: UInt64, to index: SlotIndex) {
        guard self.slots[index]?.outstanding.first == id else { return }
        self.slots[index]?.isFirstUnread = true
    }

    /// So many of the newest requests were not written before the slot closed.
    mutating func wereNotSent(_ count: Int, to index: SlotIndex) {
        guard let slot = self.slots[index], count >= slot.outstanding.count else { return }
        self.slots[index]?.isFirstUnread = true
    }

    /// Its worker begins nothing more of what it has been given.
    mutating func retires(_ index: SlotIndex) { self.slots[index]?.isFirstUnread = true }

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
        self.members[slot.replica]?.openSlots -= 1
        self.noteMembers()
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
        guard let slot = self.slots[index], slot.outstanding.first == id else { return nil }
        guard let entry = self.remove(id) else { return nil }
        slot.outstanding.removeFirst()
        slot.isResting = workFollows
        // The first prediction of a replica says nothing of the others.
        if !workFollows { self.becameFree(slot, wasAtWork: predict != nil && !entry.isSample, now: now) }
        // Work after an answer delays what waits in the slot just as a slow `predict` does.
        if workFollows, !entry.isSample {
            self.handOver.record(HandOverPolicy.threshold)
        } else if let predict, !entry.isSample {
            self.handOver.record(predict)
        }
        if slot.isDoubtful { self.cameBack(index, now: now) }
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
        guard let slot = self.slots[index] else { return }
        slot.isResting = false
        self.becameFree(slot, wasAtWork: true, now: now)
        self.markIdle(index)
    }

    /// The slot is done with one request, and turns to the next if it has one.
    private mutating func becameFree(_ slot: Slot, wasAtWork: Bool, now: NIODeadline) {
        if wasAtWork { self.drainRate.record(now - slot.since) }
        slot.since = now
    }

    mutating func markIdle(_ index: SlotIndex) {
        guard let slot = self.slots[index], slot.mayTake, slot.outstanding.isEmpty else { return }
        self.idle.append(index)
    }

    mutating func remove(_ id: UInt64) -> Entry? {
        guard let entry = self.entries.removeValue(forKey: id) else { return nil }
        if entry.responder != nil, !entry.isSample { self.liveCount -= 1 }
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
    func mayHaveStarted(_ id: UInt64, in index: SlotIndex) -> Bool {
        guard let slot = self.slots[index] else { return false }
        return !slot.isResting && slot.outstanding.first == id
    }

    /// Those that left are skipped when their turn comes; where no turn comes, they must not pile up.
    private mutating func forgetGone() {
        guard self.waiting.count > 64, self.waiting.count > 2 * self.liveCount else { return }
        self.waiting.removeAll { self.entries[$0] == nil }
    }

    mutating func abandon(_ id: UInt64) {
        self.entries[id]?.responder = nil
        if self.entries[id]?.isSample == false { self.liveCount -= 1 }
    }

    // MARK: Mode

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
