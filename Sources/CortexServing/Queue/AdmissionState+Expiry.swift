import NIOCore

extension AdmissionState {
    /// What time has done.
    struct Expiry {
        /// A request past its deadline, whose sender is to be told so.
        struct Overdue {
            var entry: Entry
            /// Where it was handed to: that worker is to be told as well.
            var slot: SlotIndex?
            /// Whether `predict` may have been called.
            var started: Bool
        }

        var overdue: [Overdue] = []
        /// Those that have waited long enough for a replica that was to be started.
        var unwoken: [Entry] = []
        /// Workers that run a request whose patience is at its end, with the id of that request.
        var hopelessWorkers: [String: String] = [:]
        /// Slots that stream to nobody, and do not stop.
        var hopelessSlots: [SlotIndex] = []
        /// When to look again.
        var next: NIODeadline?
    }

    mutating func expire(now: NIODeadline) -> Expiry {
        var expiry = Expiry()
        for (id, entry) in self.entries {
            if let limit = self.wakeLimit(of: entry), limit <= now, entry.request.deadline > now {
                _ = self.remove(id)
                expiry.unwoken.append(entry)
                continue
            }
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
        guard entry.responder == nil else {
            return min(entry.request.deadline, self.wakeLimit(of: entry) ?? entry.request.deadline)
        }
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
}
