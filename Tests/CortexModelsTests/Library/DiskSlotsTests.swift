import Testing

@testable import CortexModels

@Suite struct DiskSlotsTests {
    private var slots = DiskSlots(limit: 2)

    private func key(_ model: String) throws -> DiskSlots.Key {
        DiskSlots.Key(model: model, version: .unversioned, generation: model)
    }

    /// Adds a slot that nobody uses; returns what went for it.
    private mutating func add(_ model: String) throws -> [String] {
        let freed = self.slots.add(try self.key(model), claim: 0)
        self.slots.arrived(try self.key(model))
        return freed.map(\.key.model)
    }

    private mutating func use(_ model: String) throws {
        self.slots.lease(try self.key(model), to: "w")
        self.slots.release(try self.key(model), by: "w")
    }

    @Test mutating func `the least recently used goes first`() throws {
        #expect(try self.add("a") == [])
        #expect(try self.add("b") == [])
        try self.use("a")
        #expect(try self.add("c") == ["b"])
        #expect(try self.add("d") == ["a"])
        #expect(self.slots.count == 2)
    }

    @Test mutating func `what is in use stays, and goes when it is not`() throws {
        _ = try self.add("a")
        self.slots.lease(try self.key("a"), to: "w1")
        self.slots.lease(try self.key("a"), to: "w2")
        _ = try self.add("b")
        self.slots.wait(for: try self.key("b"), id: 1, worker: "w1")
        #expect(try self.add("c") == [])
        #expect(self.slots.count == 3)
        self.slots.release(try self.key("a"), by: "w1")
        self.slots.release(try self.key("a"), by: "w1")
        #expect(self.slots.free(try self.key("a")) == nil)
        self.slots.release(try self.key("a"), by: "w2")
        #expect(self.slots.makeRoom().map(\.key.model) == ["a"])
    }

    @Test mutating func `a worker's end ends what it used and waited for`() throws {
        _ = try self.add("a")
        _ = try self.add("b")
        self.slots.lease(try self.key("a"), to: "w1")
        self.slots.wait(for: try self.key("b"), id: 7, worker: "w1")
        self.slots.lease(try self.key("b"), to: "w2")
        #expect(Set(self.slots.workerEnded("w1").map(\.model)) == ["a", "b"])
        #expect(!self.slots.endWait(for: try self.key("b"), id: 7, worker: "w1"))
        #expect(self.slots.free(try self.key("a")) != nil)
        #expect(self.slots.free(try self.key("b")) == nil)
        #expect(self.slots.workerEnded("w1").isEmpty)
    }

    @Test func `without a limit nothing goes`() throws {
        var slots = DiskSlots(limit: nil)
        for number in 1...100 { #expect(slots.add(try self.key("\(number)"), claim: 0).isEmpty) }
        #expect(slots.makeRoom().isEmpty)
    }
}

@Suite struct DownloadPlanTests {
    private var plan = DownloadPlan(pace: .seconds(10))

    private func key(_ number: Int, _ generation: String = "a") throws -> DiskSlots.Key {
        DiskSlots.Key(model: "iris", version: try version(number), generation: generation)
    }

    @Test mutating func `gives each version once, the highest first`() throws {
        let keys = [try self.key(1), try self.key(2)]
        self.plan.want(keys, of: "iris")
        self.plan.want(keys, of: "iris")
        #expect(self.plan.count == 2)
        #expect(self.plan.next() == keys[1])
        self.plan.want(keys, of: "iris")
        #expect(self.plan.next() == keys[0])
        #expect(self.plan.next() == nil)
        self.plan.ended(keys[1])
        self.plan.want(keys, of: "iris")
        #expect(self.plan.next() == keys[1])
    }

    @Test mutating func `a failure waits longer each time, up to five minutes`() throws {
        let key = try self.key(1)
        var now = Duration.zero
        var waits: [Duration] = []
        self.plan.want([key], of: "iris")
        for _ in 1...8 {
            #expect(self.plan.next() == key)
            self.plan.failed(key, .unreachable("gone"), now: now, jitter: 1)
            self.plan.ended(key)
            self.plan.want([key], of: "iris")
            let retryAt = try #require(self.plan.failure(key)).retryAt
            self.plan.retry(now: retryAt - .nanoseconds(1))
            #expect(self.plan.next() == nil)
            waits.append(retryAt - now)
            now = retryAt
            self.plan.retry(now: now)
        }
        #expect(waits == [10, 20, 40, 80, 160, 300, 300, 300].map { Duration.seconds($0) })
        #expect(self.plan.next() == key)
        self.plan.succeeded(key)
        #expect(self.plan.failure(of: "iris") == nil)
    }

    @Test mutating func `new content is tried at once, and the old one's failure forgotten`() throws {
        let old = try self.key(1)
        self.plan.want([old], of: "iris")
        _ = self.plan.next()
        self.plan.failed(old, .denied("no"), now: .zero, jitter: 1)
        self.plan.ended(old)
        let new = try self.key(1, "b")
        self.plan.want([new], of: "iris")
        #expect(self.plan.failure(old) == nil)
        #expect(self.plan.next() == new)
        self.plan.retry(now: .seconds(1000))
        #expect(self.plan.next() == nil)
    }
}

@Suite struct DownloadProgressTests {
    @Test(arguments: [
        (Int64(120_400_000), Int64(450_000_000), "120 of 450 MB"),
        (1_240_000_000, 3_400_000_000, "1.2 of 3.4 GB"),
        (17_000, 900_000, "17 of 900 kB"),
        (0, 0, "0 of 0 kB"),
    ])
    func `amounts are short`(bytes: Int64, size: Int64, text: String) {
        #expect(DownloadProgress.amount(bytes, of: size) == text)
    }
}
