/// Which generations are on disk, come or go, who needs them and who waits; decides, and acts on nothing.
struct StoreState {
    struct Waiter {
        var item: StoreItem
        var progress: @Sendable (Int64) -> Void
        var continuation: CheckedContinuation<Result<String, StorageError>, Never>
    }

    /// What a waiter's coming asks for.
    enum OnJoin {
        case isThere
        case wait
        case start
    }

    /// What a waiter's leaving asks for.
    enum OnLeave {
        /// It is not waiting any more.
        case nothing
        /// Others wait on: this one goes alone.
        case resume(Waiter)
        /// It was the last: end the download, whose end resumes it.
        case cancel(Task<Void, Never>?)
    }

    /// What the end of a claim asks for.
    enum OnUnclaim {
        case nothing
        /// Nobody needs it: take it off the disk, then call ``StoreState/left(_:)``.
        case remove
        case cancel(Task<Void, Never>?)
    }

    /// What the end of a download asks for.
    struct OnEnd {
        var waiters: [Waiter]
        var next: Next
    }

    /// What is to be done with a generation after the end of a download or a removal.
    enum Next {
        case nothing
        /// Some came while it was on its way out.
        case start(StoreItem)
        /// Everyone who needed it has gone.
        case remove(String)
    }

    private enum Entry {
        /// Next: `whole`, `leaving`, absent.
        case coming(waiters: [UInt64: Waiter], task: Task<Void, Never>?)
        /// On disk, with all its files. Next: `leaving`.
        case whole
        /// An abandoned download, or a removal under way; waiters came since. Next: `coming`, absent.
        case leaving(waiters: [UInt64: Waiter], next: [UInt64: Waiter])
    }

    private var entries: [String: Entry] = [:]
    private var claims: [String: Set<UInt64>] = [:]
    /// Which generation a waiter waits for.
    private var waiting: [UInt64: String] = [:]
    private var lastID: UInt64 = 0

    /// A number for a claim or a waiter.
    mutating func nextID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    /// All that is on disk and needed.
    var claimed: [String] {
        self.claims.keys.filter { self.isWhole($0) }
    }

    /// Takes up what an earlier server left whole.
    mutating func found(_ generation: String) {
        self.entries[generation] = .whole
    }

    /// What is whole and nobody has claimed since the server started.
    var idle: [String] {
        self.entries.keys.filter { self.isWhole($0) && (self.claims[$0] ?? []).isEmpty }
    }

    func isWhole(_ generation: String) -> Bool {
        guard case .whole = self.entries[generation] else { return false }
        return true
    }

    mutating func claim(_ generation: String, by id: UInt64) {
        self.claims[generation, default: []].insert(id)
    }

    mutating func unclaim(_ generation: String, by id: UInt64) -> OnUnclaim {
        guard self.claims[generation]?.remove(id) != nil, self.claims[generation]?.isEmpty == true else {
            return .nothing
        }
        self.claims[generation] = nil
        switch self.entries[generation] {
        case .whole:
            self.entries[generation] = .leaving(waiters: [:], next: [:])
            return .remove
        case .coming(let waiters, let task):
            self.entries[generation] = .leaving(waiters: waiters, next: [:])
            return .cancel(task)
        case .leaving, nil:
            return .nothing
        }
    }

    /// Adds a waiter, who has a claim.
    mutating func join(_ waiter: Waiter, as id: UInt64) -> OnJoin {
        let generation = waiter.item.generation
        switch self.entries[generation] {
        case .whole:
            return .isThere
        case .coming(var waiters, let task):
            waiters[id] = waiter
            self.entries[generation] = .coming(waiters: waiters, task: task)
            self.waiting[id] = generation
            return .wait
        case .leaving(let waiters, var next):
            next[id] = waiter
            self.entries[generation] = .leaving(waiters: waiters, next: next)
            self.waiting[id] = generation
            return .wait
        case nil:
            self.entries[generation] = .coming(waiters: [id: waiter], task: nil)
            self.waiting[id] = generation
            return .start
        }
    }

    mutating func started(_ generation: String, task: Task<Void, Never>) {
        guard case .coming(let waiters, _) = self.entries[generation] else {
            // Ended, or abandoned, before its task could be noted.
            if case .leaving = self.entries[generation] { task.cancel() }
            return
        }
        self.entries[generation] = .coming(waiters: waiters, task: task)
    }

    func waiters(for generation: String) -> [Waiter] {
        guard case .coming(let waiters, _) = self.entries[generation] else { return [] }
        return Array(waiters.values)
    }

    mutating func leave(_ id: UInt64) -> OnLeave {
        guard let generation = self.waiting.removeValue(forKey: id) else { return .nothing }
        switch self.entries[generation] {
        case .coming(var waiters, let task):
            guard waiters.count > 1 else {
                self.entries[generation] = .leaving(waiters: waiters, next: [:])
                return .cancel(task)
            }
            let waiter = waiters.removeValue(forKey: id)
            self.entries[generation] = .coming(waiters: waiters, task: task)
            return waiter.map(OnLeave.resume) ?? .nothing
        case .leaving(let waiters, var next):
            let waiter = next.removeValue(forKey: id)
            self.entries[generation] = .leaving(waiters: waiters, next: next)
            return waiter.map(OnLeave.resume) ?? .nothing
        case .whole, nil:
            return .nothing
        }
    }

    /// A download has ended; `succeeded` says whether the generation is on disk now.
    mutating func ended(_ generation: String, succeeded: Bool) -> OnEnd {
        switch self.entries[generation] {
        case .coming(let waiters, _):
            return OnEnd(waiters: self.forget(waiters), next: self.settle(generation, isThere: succeeded))
        case .leaving(let waiters, var next):
            var result = OnEnd(waiters: self.forget(waiters), next: .nothing)
            guard succeeded else {
                result.next = self.left(generation)
                return result
            }
            // It was too late to stop it: those who came since have what they want.
            result.waiters += self.forget(next)
            next = [:]
            result.next = self.settle(generation, isThere: true)
            return result
        case .whole, nil:
            return OnEnd(waiters: [], next: .nothing)
        }
    }

    /// A generation is off the disk.
    mutating func left(_ generation: String) -> Next {
        guard case .leaving(_, let next) = self.entries[generation], let item = next.first?.value.item else {
            self.entries[generation] = nil
            return .nothing
        }
        self.entries[generation] = .coming(waiters: next, task: nil)
        return .start(item)
    }

    private mutating func settle(_ generation: String, isThere: Bool) -> Next {
        guard isThere else {
            self.entries[generation] = nil
            return .nothing
        }
        guard self.claims[generation] == nil else {
            self.entries[generation] = .whole
            return .nothing
        }
        self.entries[generation] = .leaving(waiters: [:], next: [:])
        return .remove(generation)
    }

    private mutating func forget(_ waiters: [UInt64: Waiter]) -> [Waiter] {
        for id in waiters.keys { self.waiting[id] = nil }
        return Array(waiters.values)
    }
}
