/// When a source is listed, and what of its listings is adopted; decides, and acts on nothing.
///
/// A listing that differs from what is adopted is taken again, ``Pace/settle`` later and then at growing intervals, and
/// what is the same in two listings in a row is adopted: a version that is half uploaded is never served.
struct SourceState: Sendable {
    /// How often a source is listed.
    struct Pace: Hashable, Sendable {
        /// Between two listings of a source that stands still.
        var poll: Duration
        /// Before the listing that must confirm a change.
        var settle: Duration
        /// Whether listings cost little enough to take more of them (folders of this machine).
        var isLocal: Bool

        /// The longest wait after failures.
        static let longest = Duration.seconds(120)
        /// What is taken at its first sight must be older than this, by the store's own clock.
        static let fresh: Int64 = 10_000

        /// Local folders are listed every 2 s, or as often as costs 1 % of the time.
        func interval(cost: Duration) -> Duration {
            self.isLocal ? min(self.poll, max(.seconds(2), cost * 100)) : self.poll
        }

        /// The interval, and a little around it, so that sources drift apart.
        func wait(cost: Duration) -> ClosedRange<Duration> {
            let interval = self.interval(cost: cost)
            return interval * 9 / 10...interval * 11 / 10
        }
    }

    private enum Stage: Sendable {
        /// Nothing is known of it. Next: any.
        case unlisted
        /// The last listing is what is adopted. Next: `settling`, `failing`.
        case standing
        /// Something differs from what is adopted. Next: any but `unlisted`.
        case settling(seen: [StoredObject], rounds: Int)
        /// The source cannot be listed; what was adopted stands. Next: any but `unlisted`, unless nothing was ever listed.
        case failing(attempts: Int, seen: [StoredObject]?)
    }

    /// What follows a listing.
    struct Step: Hashable, Sendable {
        /// Whether what is adopted has changed.
        var hasChanged: Bool
        /// The next listing is due after a time out of this range, taken at random.
        var wait: ClosedRange<Duration>
    }

    private let layout: SourceLayout
    private let pace: Pace
    private var stage = Stage.unlisted
    /// What API versions see.
    private(set) var snapshot = SourceSnapshot()

    init(layout: SourceLayout, pace: Pace) {
        self.layout = layout
        self.pace = pace
    }

    /// Takes what an earlier server had adopted, where nothing is adopted yet.
    mutating func restored(_ objects: [StoredObject]) {
        guard self.snapshot.revision == 0 else { return }
        self.adopt(objects)
    }

    /// - Parameters:
    ///   - now: Unix milliseconds.
    ///   - cost: How long the listing took.
    mutating func listed(_ objects: [StoredObject], now: Int64, cost: Duration) -> Step {
        self.snapshot.error = nil
        let isFirst = self.snapshot.revision == 0
        let before = self.seen
        let adopted: [StoredObject]?
        if !isFirst, objects == self.snapshot.objects {
            adopted = nil
        } else if let before {
            let settled = self.layout.settled(adopted: self.snapshot.objects, seen: before, listed: objects)
            // At the first sight of a source, nothing but unfinished uploads is not the same as nothing.
            let isNothing = isFirst ? settled.isEmpty && !objects.isEmpty : settled == self.snapshot.objects
            adopted = isNothing ? nil : settled
        } else {
            let stands = isFirst && !objects.isEmpty && objects.allSatisfy { $0.modified < now - Pace.fresh }
            adopted = stands ? objects : nil
        }
        if let adopted { self.adopt(adopted) }
        return Step(hasChanged: adopted != nil, wait: self.wait(after: objects, cost: cost))
    }

    /// A folder of this machine is looked at as often as ever; nobody else is spared by waiting.
    ///
    /// After failures of a store the wait is between ``Pace/poll`` and twice that, four times … ``Pace/longest``, at random
    /// (AWS Architecture Blog, "Exponential Backoff And Jitter").
    mutating func failed(_ error: StorageError, cost: Duration) -> Step {
        self.snapshot.error = error
        var attempts = 1
        if case .failing(let earlier, _) = self.stage { attempts = earlier + 1 }
        self.stage = .failing(attempts: attempts, seen: self.seen)
        if self.pace.isLocal { return Step(hasChanged: false, wait: self.pace.wait(cost: cost)) }
        let limit = min(self.pace.poll * (1 << min(attempts, 16)), Pace.longest)
        return Step(hasChanged: false, wait: self.pace.poll...max(self.pace.poll, limit))
    }

    /// The listing that the next one must equal; nil where there is none.
    private var seen: [StoredObject]? {
        switch self.stage {
        case .unlisted: nil
        case .standing: self.snapshot.objects
        case .settling(let seen, _): seen
        case .failing(_, let seen): seen
        }
    }

    private mutating func adopt(_ objects: [StoredObject]) {
        self.snapshot.objects = objects
        self.snapshot.revision += 1
    }

    private mutating func wait(after objects: [StoredObject], cost: Duration) -> ClosedRange<Duration> {
        if self.snapshot.revision > 0, objects == self.snapshot.objects {
            self.stage = .standing
            self.snapshot.isChanging = false
            return self.pace.wait(cost: cost)
        }
        var rounds = 0
        if case .settling(_, let earlier) = self.stage { rounds = earlier + 1 }
        self.stage = .settling(seen: objects, rounds: rounds)
        self.snapshot.isChanging = true
        // The pace of the first confirmations; a copy of hours is then looked at as often as everything else.
        let interval = min(self.pace.settle * (1 << min(rounds / 4, 16)), max(self.pace.poll, self.pace.settle))
        return interval...interval
    }
}

/// What a source was last found to hold.
struct SourceSnapshot: Sendable {
    /// Grows with every adopted change; 0 before there is one.
    var revision: UInt64 = 0
    /// In the order of listings.
    var objects: [StoredObject] = []
    /// Why the last listing failed.
    var error: StorageError?
    /// Whether something is being written there.
    var isChanging = false

    /// Whether there is anything to say of the source.
    var isKnown: Bool { self.revision > 0 || self.error != nil }
}
