import DequeModule
import NIOCore

/// Whose slots may take requests: a queue serves all replicas of an API, of whatever version.
extension AdmissionState {
    /// A replica as the queue knows it.
    struct Member {
        enum Stage: Equatable {
            /// Its slots take nothing but samples. Next: `admitted`, or it leaves.
            case waiting
            /// Its slots take requests. Next: `draining`, or it leaves.
            case admitted
            /// Its slots finish what they have. Next: it leaves.
            case draining
        }

        /// The version of the API that its answers are of.
        var version: Int
        var stage = Stage.waiting
        var arguments: PredictArguments = []
        var openSlots = 0
        /// None of its workers stays alive; nil once one has opened a slot again.
        var failure: Failure?

        struct Failure {
            var reason: String
            var until: NIODeadline
        }
    }

    // MARK: Coming and going

    mutating func join(_ replica: String, version: Int) {
        self.members[replica] = Member(version: version)
    }

    /// Its slots take requests from now on.
    mutating func admit(_ replica: String, arguments: PredictArguments) {
        guard self.members[replica]?.stage == .waiting else { return }
        self.members[replica]?.stage = .admitted
        self.members[replica]?.arguments = arguments
        self.noteMembers()
        for index in self.slots.indices where self.slots[index]?.replica == replica { self.openUp(index) }
    }

    /// A worker has told all of itself: its slots may take requests, those that it opens later too.
    ///
    /// They are open a moment before. A request that came to them then, and ended the worker, would pass for a start that
    /// failed.
    mutating func workerBecameReady(_ worker: String) {
        self.readyWorkers.insert(worker)
        for index in self.slots.indices where self.slots[index]?.worker == worker { self.openUp(index) }
    }

    mutating func workerEnded(_ worker: String) { self.readyWorkers.remove(worker) }

    private mutating func openUp(_ index: SlotIndex) {
        guard let slot = self.slots[index], !slot.isAdmitted, self.readyWorkers.contains(slot.worker),
            let member = self.members[slot.replica], member.stage == .admitted
        else { return }
        self.slots[index]?.isAdmitted = true
        self.slots[index]?.arguments = member.arguments
        self.markIdle(index)
    }

    /// Its slots take nothing more.
    mutating func drain(_ replica: String) {
        self.members[replica]?.stage = .draining
        self.noteMembers()
        for index in self.slots.indices where self.slots[index]?.replica == replica {
            self.slots[index]?.isAdmitted = false
        }
        self.idle.removeAll { self.slots[$0]?.replica == replica }
    }

    mutating func leave(_ replica: String) {
        self.members[replica] = nil
        self.noteMembers()
    }

    /// Whether nothing runs in its slots.
    func isResting(_ replica: String) -> Bool {
        self.slots.allSatisfy { slot in
            guard let slot, slot.replica == replica else { return true }
            return slot.outstanding.isEmpty && !slot.isResting
        }
    }

    /// Gives up what its slots still have; what they hold is answered by nobody.
    mutating func abandon(_ replica: String) -> [Entry] {
        var entries: [Entry] = []
        for slot in self.slots {
            guard let slot, slot.replica == replica else { continue }
            for id in slot.outstanding {
                guard let entry = self.entries[id], entry.responder != nil else { continue }
                entries.append(entry)
                self.abandon(id)
            }
        }
        return entries
    }

    /// The version of which its answers are said to be.
    mutating func setVersion(_ version: Int, of replica: String) {
        self.members[replica]?.version = version
    }

    /// Replicas that could take requests, and how many slots they have.
    mutating func noteMembers() {
        let able = self.members.values.lazy.filter { $0.stage == .admitted && $0.openSlots > 0 }
        self.ableReplicas = able.count
        self.slotCount = able.reduce(0) { $0 + $1.openSlots }
        guard self.slotCount > 0 else { return }
        switch self.mode {
        case .failfast, .waking: self.mode = .open
        case .open, .asleep, .draining: break
        }
    }

    // MARK: Failing

    /// None of this replica's workers stays alive; returns those that are refused for it, since no other could take them.
    mutating func failfast(_ replica: String, reason: String, until: NIODeadline) -> [Entry] {
        guard self.mode != .draining, let member = self.members[replica], member.stage == .admitted else { return [] }
        guard member.openSlots == 0 else { return [] }
        self.members[replica]?.failure = Member.Failure(reason: reason, until: until)
        let admitted = self.members.values.filter { $0.stage == .admitted }
        let failures = admitted.compactMap(\.failure)
        guard failures.count == admitted.count, let next = failures.map(\.until).min() else { return [] }
        self.mode = .failfast(reason: reason, until: next)
        return self.removeWaiting()
    }

    /// Takes out those that wait in the queue.
    mutating func removeWaiting() -> [Entry] {
        let waited = self.waiting.compactMap { self.remove($0) }
        self.waiting.removeAll()
        return waited
    }

    // MARK: Samples

    /// Hands a request to a free slot of a worker that is not let in yet; nil where it has none.
    mutating func submitSample(
        _ request: PredictRequest,
        to worker: String,
        _ responder: any PredictResponder,
        now: NIODeadline
    ) -> SlotIndex? {
        let free = self.slots.firstIndex { slot in
            guard let slot, slot.worker == worker else { return false }
            return !slot.isAdmitted && !slot.isResting && slot.outstanding.isEmpty
        }
        guard let free else { return nil }
        self.addSample(request, responder, slot: free, now: now)
        return free
    }
}
