import Testing

@testable import CortexModels

/// APIs that come back, with what an earlier server left on disk.
@Suite(.timeLimit(.minutes(1))) struct ModelLibraryRestartTests {
    private let storage = MemoryStorage()
    private let bucket = TestLibrary.bucket

    private func single() throws -> ModelRequest { try ModelRequest(.python, .single(ModelSource(self.bucket))) }

    @Test func `an API that has served before begins with what is on disk`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let first = try await test.open(try self.single())
            await first.models.close(keepFiles: true)
            self.storage.put("2/model", "two", at: self.bucket)
            self.storage.hold()
            let second = try await test.open(try self.single(), isRestored: true)
            #expect(await second.offered() == ["_cortex_default: 1"])
            await self.storage.untilHeld(1)
            self.storage.letGo()
            let change = try await second.change()
            #expect(change.changed[ModelRequest.singleName]?.versions.count == 2)
        }
    }

    @Test func `a restart downloads nothing again, also with the store away`() async throws {
        self.storage[self.bucket] = ["1/model": "one", "2/model": "two"]
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            // Files carry the time of the real clock.
            let now = LibraryTime(ManualClock()).wall()
            try await TestLibrary.run(self.storage, folder: models, now: now) { test in
                let api = try await test.open(try self.single())
                await test.untilSettled(2)
                await test.untilListingKept()
                await api.models.close(keepFiles: true)
            }
            self.storage.failListings(.unreachable("s3://models does not answer"))
            try await TestLibrary.run(self.storage, folder: models, now: now) { test in
                let api = try await test.open(try self.single())
                #expect(await api.offered() == ["_cortex_default: 1 2"])
                #expect(try await TestLibrary.text("\(api.ensure(ModelRequest.singleName, 2))/model") == "two")
                #expect(self.storage.fetches.count == 2)
                #expect(await api.models.troubles() == ["s3://models does not answer"])
                // And goes on from there when it is back.
                self.storage.failListings(nil)
                self.storage.put("3/model", "three", at: self.bucket)
                await test.clock.wakeNext()
                await test.clock.wakeNext()
                _ = try await api.change()
                #expect(await api.offered() == ["_cortex_default: 1 2 3"])
                #expect(self.storage.fetches.count == 3)
            }
        }
    }

    @Test func `an API that has served before does without a model that is gone`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let first = try await test.open(try self.single())
            await first.models.close(keepFiles: true)
            self.storage[self.bucket] = [:]
            await #expect(throws: ModelOpenError.self, "one that has not") {
                async let opening = test.open(try self.single())
                await self.storage.untilListed(self.bucket, 2)
                await test.clock.wakeNext()
                _ = try await opening
            }
            async let second = test.open(try self.single(), isRestored: true)
            await self.storage.untilListed(self.bucket, 4)
            await test.clock.wakeNext()
            let api = try await second
            #expect(await api.offered().isEmpty)
            #expect(await api.models.status().first?.error?.hasSuffix(" is empty") == true)
            self.storage.put("2/model", "two", at: self.bucket)
            for _ in 1...2 { await test.clock.wakeNext() }
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 2"])
        }
    }

    @Test func `what cannot be brought is waited for, also by an API that has served before`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        self.storage.fail("1/", .unreachable("s3://models does not answer"))
        try await TestLibrary.run(self.storage) { test in
            let error = await #expect(throws: ModelOpenError.self) {
                try await test.open(try self.single(), isRestored: true)
            }
            #expect(error?.problems == ["s3://models does not answer"])
        }
    }
}
