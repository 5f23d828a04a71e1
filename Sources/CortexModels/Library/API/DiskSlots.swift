/// The versions of one API that are on disk or on their way there, who uses them, and which goes first.
struct DiskSlots {
    struct Key: Hashable {
        var model: String
        var version: ModelVersion
        var generation: String
    }

    /// Why a version has to stay.
    private enum Use: Hashable {
        /// A worker has it, in memory or about to.
        case lease(worker: String)
        /// A call waits for it, for a worker or for the catalog (nil).
        case wait(id: UInt64, worker: String?)
    }

    private struct Slot {
        /// In the store.
        let claim: UInt64
        var uses: Set<Use> = []
        var lastUse: UInt64
        var isOnDisk = false
    }

    /// A slot that was given up.
    struct Freed {
        var key: Key
        var claim: UInt64
    }

    /// Slots at once, but for those in use; nil for no limit.
    let limit: Int?
    private var slots: [Key: Slot] = [:]
    private var ticks: UInt64 = 0

    init(limit: Int?) {
        self.limit = limit
    }

    var count: Int { self.slots.count }

    func contains(_ key: Key) -> Bool { self.slots[key] != nil }

    func isOnDisk(_ key: Key) -> Bool { self.slots[key]?.isOnDisk == true }

    /// Adds a slot for a version that will be brought to disk.
    ///
    /// - Returns: What goes for it, and has to be gone before it comes.
    mutating func add(_ key: Key, claim: UInt64) -> [Freed] {
        let freed = self.makeRoom(1)
        self.ticks += 1
        self.slots[key] = Slot(claim: claim, lastUse: self.ticks)
        return freed
    }

    mutating func arrived(_ key: Key) {
        self.slots[key]?.isOnDisk = true
    }

    mutating func lease(_ key: Key, to worker: String) {
        self.ticks += 1
        self.slots[key]?.uses.insert(.lease(worker: worker))
        self.slots[key]?.lastUse = self.ticks
    }

    mutating func release(_ key: Key, by worker: String) {
        self.slots[key]?.uses.remove(.lease(worker: worker))
    }

    mutating func wait(for key: Key, id: UInt64, worker: String?) {
        self.ticks += 1
        self.slots[key]?.uses.insert(.wait(id: id, worker: worker))
        self.slots[key]?.lastUse = self.ticks
    }

    /// Ends a wait; returns whether it still was one: not after its worker has ended, or all was given up.
    mutating func endWait(for key: Key, id: UInt64, worker: String?) -> Bool {
        self.slots[key]?.uses.remove(.wait(id: id, worker: worker)) != nil
    }

    /// Ends all that a worker used; returns which versions it was.
    mutating func workerEnded(_ worker: String) -> [Key] {
        var keys: [Key] = []
        for (key, slot) in self.slots {
            let uses = slot.uses.filter { use in
                switch use {
                case .lease(worker): false
                case .wait(_, worker): false
                default: true
                }
            }
            guard uses.count < slot.uses.count else { continue }
            self.slots[key]?.uses = uses
            keys.append(key)
        }
        return keys
    }

    /// Gives a slot up, unless it is in use.
    mutating func free(_ key: Key) -> Freed? {
        guard let slot = self.slots[key], slot.uses.isEmpty else { return nil }
        self.slots[key] = nil
        return Freed(key: key, claim: slot.claim)
    }

    /// Gives up the least recently used slots not in use, until `count` more are within the limit, or all are in use.
    mutating func makeRoom(_ count: Int = 0) -> [Freed] {
        guard let limit = self.limit else { return [] }
        var freed: [Freed] = []
        while self.slots.count + count > limit {
            let idle = self.slots.lazy.filter { $0.value.uses.isEmpty }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
            self.slots[oldest.key] = nil
            freed.append(Freed(key: oldest.key, claim: oldest.value.claim))
        }
        return freed
    }

    /// Gives everything up.
    mutating func freeAll() -> [Freed] {
        defer { self.slots = [:] }
        return self.slots.map { Freed(key: $0.key, claim: $0.value.claim) }
    }
}
