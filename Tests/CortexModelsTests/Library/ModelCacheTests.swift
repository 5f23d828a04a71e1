import Testing

@testable import CortexModels

/// APIs with a cache: models come to disk when they are asked for, and leave it for others.
@Suite(.timeLimit(.minutes(1))) struct ModelCacheTests {
    private let storage = MemoryStorage()
    private let bucket = TestLibrary.bucket

    private func cached(_ disk: Int? = 2) throws -> ModelRequest {
        try ModelRequest(.python, .directory(ModelSource(self.bucket)), cacheSize: 1, diskCacheSize: disk)
    }

    init() {
        self.storage[self.bucket] = ["a/1/m": "a", "b/1/m": "b", "c/1/m": "c", "d/1/m": "d"]
    }

    @Test func `opens with everything offered and nothing on disk`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            #expect(await api.offered() == ["a: 1", "b: 1", "c: 1", "d: 1"])
            #expect(self.storage.fetches.isEmpty)
            #expect(await api.models.status().allSatisfy { !$0.isOnDisk && $0.isLatest })
        }
    }

    @Test func `the disk holds two of four models, and the least recently used goes first`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            for (model, expected) in [
                ("a", ["a"]), ("b", ["a", "b"]), ("a", ["a", "b"]), ("c", ["a", "c"]), ("d", ["c", "d"]),
                ("a", ["a", "d"]),
            ] {
                _ = try await api.ensure(model, 1)
                #expect(try test.onDisk() == expected)
                try await api.release(model, 1)
            }
            #expect(self.storage.fetches.map { $0.prefix(1) } == ["a", "b", "c", "d", "a"])
        }
    }

    @Test func `what is leased stays over the limit, and goes with its lease`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            for model in ["a", "b", "c"] { _ = try await api.ensure(model, 1) }
            #expect(try test.onDisk() == ["a", "b", "c"])
            try await api.release("b", 1)
            #expect(try test.onDisk() == ["a", "c"])
            try await api.release("b", 1)
            await api.models.workerEnded("w")
            #expect(try test.onDisk() == ["a", "c"])
            _ = try await api.ensure("d", 1)
            #expect(try test.onDisk() == ["c", "d"])
        }
    }

    @Test func `the place is free before a download begins`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached(1))
            _ = try await api.ensure("a", 1)
            try await api.release("a", 1)
            self.storage.hold()
            let waiting = Task { try await api.ensure("b", 1) }
            await self.storage.untilHeld(1)
            #expect(try test.onDisk().isEmpty)
            self.storage.letGo()
            _ = try await waiting.value
            #expect(try test.onDisk() == ["b"])
        }
    }

    @Test func `files that another API gives up are not taken for there`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let old = try await test.open(try self.cached())
            let new = try await test.open(try self.cached())
            for model in ["a", "b"] { _ = try await old.ensure(model, 1) }
            let found = await new.models.inheritance()
            #expect(found.map(\.model).sorted() == ["a", "b"])
            await old.models.close(keepFiles: false)
            await new.models.takeOver(found)
            for model in ["a", "b"] {
                #expect(try TestLibrary.text("\(try await new.ensure(model, 1))/m") == model)
            }
        }
    }

    @Test func `sixty-four calls are one download, and hold up no other model`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            _ = try await api.ensure("b", 1)
            self.storage.hold()
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 1...64 { group.addTask { try await api.ensure("a", 1, worker: "w\(number)") } }
                await self.storage.untilHeld(1)
                _ = try await api.ensure("b", 1, worker: "other")
                self.storage.letGo()
                let folders = try await group.reduce(into: Set<String>()) { $0.insert($1) }
                #expect(folders.count == 1)
            }
            #expect(self.storage.fetches == ["b/1/m", "a/1/m"])
            for number in 2...64 { try await api.release("a", 1, worker: "w\(number)") }
            _ = try await api.ensure("c", 1)
            #expect(try test.onDisk() == ["a", "b", "c"])
        }
    }

    @Test func `a failed download is told, leaves nothing, and can be tried again`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            self.storage.fail("a/", .diskFull("the disk is full"))
            await #expect(throws: ModelError.unavailable("the disk is full")) { try await api.ensure("a", 1) }
            #expect(try test.onDisk().isEmpty)
            #expect(try test.incoming().isEmpty)
            #expect(await api.models.status().first?.error == "the disk is full")
            self.storage.fail("a/", nil)
            _ = try await api.ensure("a", 1)
            #expect(try test.onDisk() == ["a"])
            #expect(await api.models.status().allSatisfy { $0.error == nil })
        }
    }

    @Test func `cancelling the only call ends its download`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            self.storage.hold()
            let waiting = Task { try await api.ensure("a", 1) }
            await self.storage.untilHeld(1)
            waiting.cancel()
            await #expect(throws: ModelError.cancelled) { try await waiting.value }
            #expect(self.storage.cancelledFetches == 1)
            #expect(try test.onDisk().isEmpty)
            #expect(try test.incoming().isEmpty)
        }
    }

    @Test func `a worker that ends while it waits gets no lease`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached(1))
            self.storage.hold()
            let waiting = Task { try await api.ensure("a", 1) }
            await self.storage.untilHeld(1)
            await api.models.workerEnded("w")
            self.storage.letGo()
            await #expect(throws: ModelError.cancelled) { try await waiting.value }
            _ = try await api.ensure("b", 1)
            #expect(try test.onDisk() == ["b"])
        }
    }

    @Test func `changed content is listed again at once, and then served`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            self.storage.put("a/1/m", "a, changed", at: self.bucket)
            await #expect(throws: ModelError.unavailable("a/1/m has changed since it was listed")) {
                try await api.ensure("a", 1)
            }
            // Without the poll that is due in ten seconds.
            await self.storage.untilListed(self.bucket, 2)
            #expect(await test.clock.wakeNext(within: .seconds(1)) == .seconds(1))
            _ = try await api.change()
            #expect(try await TestLibrary.text("\(api.ensure("a", 1))/m") == "a, changed")
        }
    }

    @Test func `a changed version replaces its place on disk`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            let old = try await api.generation("a", try version(1))
            _ = try await api.ensure("a", 1)
            _ = try await api.ensure("b", 1)
            try await api.release("b", 1)
            self.storage.put("a/1/m", "a, changed", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(try test.onDisk() == ["a", "b"])
            _ = try await api.ensure("a", 1)
            #expect(try test.onDisk() == ["a", "a, changed"])
            await api.models.release("a", try version(1), generation: old, worker: "w")
            #expect(try test.onDisk() == ["a, changed"])
        }
    }

    @Test func `a version that goes bad serves until it leaves the disk`() async throws {
        self.storage[self.bucket] = ["a/1/m.onnx": "a", "b/1/m.onnx": "b"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(
                try ModelRequest(.onnx, .directory(ModelSource(self.bucket)), cacheSize: 1, diskCacheSize: 1)
            )
            _ = try await api.ensure("a", 1)
            try await api.release("a", 1)
            self.storage.put("a/1/n.onnx", "?", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            await self.storage.untilListed(self.bucket, 3)
            _ = try await api.ensure("a", 1)
            try await api.release("a", 1)
            _ = try await api.ensure("b", 1)
            #expect(try await api.change().removed == ["a"])
            #expect(try test.onDisk() == ["b"])
        }
    }

    @Test func `what an earlier server left on disk counts`() async throws {
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            let now = LibraryTime(ManualClock()).wall()
            try await TestLibrary.run(self.storage, folder: models, now: now) { test in
                let api = try await test.open(try self.cached(3))
                for model in ["a", "b", "c"] { _ = try await api.ensure(model, 1) }
                await test.untilSettled(3)
                await api.models.close(keepFiles: true)
            }
            try await TestLibrary.run(self.storage, folder: models, now: now) { test in
                let api = try await test.open(try self.cached(2))
                #expect(try test.onDisk().count == 2)
                _ = try await api.ensure("d", 1)
                let left = try test.onDisk()
                #expect(left.count == 2 && left.contains("d"))
                #expect(self.storage.fetches.count == 4)
            }
        }
    }

    @Test func `without a limit of its own the disk keeps all`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(
                try ModelRequest(.python, .directory(ModelSource(self.bucket)), cacheMemory: 1_000_000)
            )
            for model in ["a", "b", "c", "d"] {
                _ = try await api.ensure(model, 1)
                try await api.release(model, 1)
            }
            #expect(try test.onDisk() == ["a", "b", "c", "d"])
        }
    }

    @Test func `sixteen workers at random never lose what they lease, nor keep more than the limit`() async throws {
        let names = ["a", "b", "c", "d"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...16 {
                    group.addTask {
                        for round in 1...40 {
                            let (worker, model) = ("w\(number)-\(round)", names[Int.random(in: 0..<4)])
                            let call = Task { try await api.ensure(model, 1, worker: worker) }
                            if Int.random(in: 0..<8) == 0 { call.cancel() }
                            do {
                                let folder = try await call.value
                                #expect(try TestLibrary.text("\(folder)/m") == model)
                                await Task.yield()
                                #expect(try TestLibrary.text("\(folder)/m") == model)
                                if Bool.random() { try await api.release(model, 1, worker: worker) }
                            } catch ModelError.cancelled {
                                // As asked for.
                            }
                            await api.models.workerEnded(worker)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try test.onDisk().count <= 2)
            #expect(await api.models.slots.count <= 2)
            await api.models.close()
            #expect(try test.onDisk().isEmpty)
        }
    }

    @Test func `unknown versions are not found, and touch nothing`() async throws {
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.cached())
            for (model, number) in [("a", 2), ("nobody", 1), ("../a", 1)] {
                await #expect(throws: ModelError.self) {
                    try await api.models.ensure(model, try version(number), generation: "x", worker: "w")
                }
            }
            #expect(self.storage.fetches.isEmpty)
            #expect(try test.onDisk().isEmpty)
        }
    }
}
