import NIOCore

/// Whether a worker comes back, once one of its requests is past the deadline of its API.
///
/// It gets nothing more until that request has ended: what holds one thread up (the interpreter's lock, a stopped process)
/// may hold up all of them, and from outside this looks like a thread that just takes its time. What its other threads run
/// they may finish; a grace after the deadline the worker is ended.
extension AdmissionState {
    /// - Parameter id: A request that is past the deadline of its API.
    mutating func doubt(_ id: UInt64, in index: SlotIndex) {
        // Behind another one it says nothing: the other is past its deadline itself, or about to be answered.
        guard let slot = self.slots[index], !slot.isDoubtful, slot.outstanding.first == id else { return }
        for other in self.slots.indices where self.slots[other]?.worker == slot.worker {
            self.slots[other]?.isDoubtful = true
        }
        self.idle.removeAll { self.slots[$0]?.isDoubtful == true }
    }

    /// A slot of a doubtful worker has answered: where that was the last request to be late, the worker is as good as any.
    mutating func cameBack(_ index: SlotIndex, now: NIODeadline) {
        guard let worker = self.slots[index]?.worker else { return }
        let own = self.slots.indices.filter { self.slots[$0]?.worker == worker }
        let isLate = own.contains { other in
            let first = self.slots[other]?.outstanding.first
            guard let entry = first.flatMap({ self.entries[$0] }) else { return false }
            return entry.request.apiDeadline <= now
        }
        guard !isLate else { return }
        for other in own { self.slots[other]?.isDoubtful = false }
        // The one that answered is marked by who called this.
        for other in own where other != index { self.markIdle(other) }
    }
}

extension AdmissionState {
    /// A stopped process gets nothing, while others may serve; what it has, it keeps, since it may have begun with it.
    mutating func setStopped(_ isStopped: Bool, _ worker: String) {
        for index in self.slots.indices {
            guard let slot = self.slots[index], slot.worker == worker, slot.isStopped != isStopped else { continue }
            self.slots[index]?.isStopped = isStopped
            if isStopped { self.idle.removeAll { $0 == index } } else { self.markIdle(index) }
        }
    }
}

/// Whether a request that came now could be answered, as far as the queue knows.
///
/// A queue that is full is able: those in it are being answered, and it tells each that it refuses when to come again.
package enum QueueReadiness: Hashable, Sendable {
    case able
    /// No slot is open.
    case noSlots
    /// Each worker runs a request that is past its deadline.
    case doubtful(slots: Int)
    /// Requests are refused, since no worker stays alive.
    case refusing(reason: String)
    case draining
}

extension AdmissionState {
    var readiness: QueueReadiness {
        switch self.mode {
        case .draining: return .draining
        case .failfast(let reason, _): return .refusing(reason: reason)
        // Requests wait until they have been answered.
        case .asleep, .waking: return .able
        case .open: break
        }
        let open = self.slots.compactMap { $0 }.filter(\.isAdmitted)
        guard !open.isEmpty else { return .noSlots }
        return open.allSatisfy(\.isDoubtful) ? .doubtful(slots: open.count) : .able
    }
}

extension AdmissionQueue {
    package var readiness: QueueReadiness { self.state.readiness }
    /// Its process was stopped by a signal, or goes on.
    package func setStopped(_ isStopped: Bool, _ worker: String) {
        self.state.setStopped(isStopped, worker)
        if !isStopped { self.dispatch(now: .now()) }
    }

    package var isDoubtful: Bool { if case .doubtful = self.readiness { true } else { false } }
}
