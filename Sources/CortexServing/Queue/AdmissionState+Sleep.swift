import NIOCore

/// An API without a replica, since nobody has asked for one: what comes waits for one that is started then.
extension AdmissionState {
    /// Whether a replica is wanted, from now on.
    mutating func setAsleep(_ isAsleep: Bool) {
        switch self.mode {
        case .draining: break
        case .open, .failfast, .waking: if isAsleep { self.mode = .asleep }
        case .asleep: if !isAsleep { self.mode = self.slotCount > 0 ? .open : .waking }
        }
    }

    /// Not by comparing modes, which may hold a text: this is asked for every request.
    var isWaking: Bool { if case .waking = self.mode { true } else { false } }

    /// Whether a replica has to be asked for now; true once, until none is wanted again.
    mutating func beginsWaking() -> Bool {
        // One that drains may still have taken what came.
        guard case .asleep = self.mode, self.slotCount == 0, !self.waiting.isEmpty else { return false }
        self.mode = .waking
        return true
    }

    /// The replica that was asked for does not come up: refuses until a slot opens; returns those that waited for it.
    mutating func failWaking(reason: String, until: NIODeadline) -> [Entry] {
        switch self.mode {
        case .waking: break
        // The next try has failed too. Where some replica has been let in, `failfast` knows more of it.
        case .failfast where !self.members.values.contains(where: { $0.stage == .admitted }): break
        case .open, .failfast, .asleep, .draining: return []
        }
        self.mode = .failfast(reason: reason, until: until)
        return self.removeWaiting()
    }

    /// Until when a request waits to be woken for; nil where it does not.
    func wakeLimit(of entry: Entry) -> NIODeadline? {
        guard self.isWaking, entry.stage == .queued, entry.responder != nil else { return nil }
        return entry.arrival + self.wakeTimeout
    }

    /// When time may change something for a request that has just come.
    func firstLook(at request: PredictRequest, now: NIODeadline) -> NIODeadline {
        self.isWaking ? min(request.deadline, now + self.wakeTimeout) : request.deadline
    }
}

extension AdmissionQueue {
    /// How soon a request may be tried again where nobody knows of a next start.
    private static let retryAfter = TimeAmount.seconds(10)

    package var isWaking: Bool { self.state.isWaking }

    /// Whether a replica is wanted; calls from one thread take effect in their order.
    package nonisolated func noteAsleep(_ isAsleep: Bool) {
        self.eventLoop.execute {
            self.assumeIsolated { queue in
                queue.state.setAsleep(isAsleep)
                queue.dispatch(now: .now())
            }
        }
    }

    /// The replica that requests wait for does not come up: they are refused, until one does.
    /// - Parameter delay: Until the next try at the earliest; nil where that is not known.
    package func failWaking(reason: String, for delay: Duration?) {
        let now = NIODeadline.now()
        let until = now + (delay.map { TimeAmount($0) } ?? Self.retryAfter)
        let waited = self.state.failWaking(reason: reason, until: until)
        guard !waited.isEmpty, let failure = self.state.refusal(now: now) else { return }
        for entry in waited {
            entry.responder?.receive(.failed(failure, self.timing(of: entry, predict: nil, by: nil, now: now)))
        }
    }

    func refuseUnwoken(_ entry: AdmissionState.Entry, now: NIODeadline) {
        let seconds = self.state.wakeTimeout.nanoseconds / 1_000_000_000
        let reason = "it was asleep, and its first replica is not ready after \(seconds) s"
        // What has lasted for so long most likely lasts as long again.
        let retryAfter = DrainRate.seconds(until: now + self.state.wakeTimeout, now: now)
        let failure = PredictFailure.notReady(reason: reason, retryAfter: retryAfter)
        entry.responder?.receive(.failed(failure, self.timing(of: entry, predict: nil, by: nil, now: now)))
    }
}
