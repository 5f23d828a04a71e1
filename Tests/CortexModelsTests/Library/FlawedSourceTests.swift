import Foundation
import Testing

@testable import CortexModels

/// A bad name in a source harms the version, or the model, that it lies in; all others go on, and take up what is new.
@Suite(.timeLimit(.minutes(1))) struct FlawedSourceTests {
    private let storage = MemoryStorage()
    private let bucket = TestLibrary.bucket

    @Test(arguments: [nil, 5])
    func `the old content of a flawed version serves, and others are taken up`(cacheSize: Int?) async throws {
        self.storage[self.bucket] = ["iris/1/a": "one", "iris/2/a": "two", "mpg/1/a": "mpg"]
        let request = try ModelRequest(.python, .directory(ModelSource(self.bucket)), cacheSize: cacheSize)
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(request)
            #expect(try await TestLibrary.text("\(api.ensure("iris", 2))/a") == "two")
            try self.storage.spoil("iris/2/key", "the link iris/2/key leads out of the folder", at: self.bucket)
            self.storage.put("iris/2/a", "changed", at: self.bucket)
            self.storage.put("iris/3/a", "three", at: self.bucket)
            self.storage.put("new/1/a", "new", at: self.bucket)
            try await self.listTwice(test, api, until: ["iris: 1 2 3", "mpg: 1", "new: 1"])
            #expect(try await TestLibrary.text("\(api.ensure("iris", 2, worker: "other"))/a") == "two")
            let status = await api.models.status().first { $0.model == "iris" && $0.version?.number == 2 }
            #expect(
                status?.error == "version 2 cannot be served: the link iris/2/key leads out of the folder"
            )
            #expect(status?.isOnDisk == true)
            // Put right, its new content is taken up.
            try self.storage.spoil("iris/2/key", nil, at: self.bucket)
            let old = try await api.generation("iris", 2)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            while try await api.generation("iris", 2) == old { _ = try await api.change() }
            #expect(try await TestLibrary.text("\(api.ensure("iris", 2, worker: "third"))/a") == "changed")
            #expect(await api.models.status().allSatisfy { $0.error == nil })
        }
    }

    @Test func `a model without versions serves its old content`() async throws {
        self.storage[self.bucket] = ["iris/a": "old", "mpg/1/a": "mpg"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try ModelRequest(.python, .directory(ModelSource(self.bucket))))
            try self.storage.spoil("iris/x", "iris/x cannot be a file", at: self.bucket)
            self.storage.put("iris/a", "new", at: self.bucket)
            self.storage.put("new/1/a", "new", at: self.bucket)
            try await self.listTwice(test, api, until: ["iris: 1", "mpg: 1", "new: 1"])
            #expect(try await TestLibrary.text("\(api.ensure("iris", 1))/a") == "old")
            let status = await api.models.status().first { $0.model == "iris" }
            #expect(status?.error?.hasSuffix("iris/: iris/x cannot be a file") == true)
        }
    }

    /// `3` would be a version's name, were it not a model's.
    @Test(arguments: ["iris", "3"])
    func `a model whose folder cannot be read serves on until it is gone`(name: String) async throws {
        self.storage[self.bucket] = ["\(name)/1/a": "old", "mpg/1/a": "mpg"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try ModelRequest(.python, .directory(ModelSource(self.bucket))))
            self.storage.remove("\(name)/", at: self.bucket)
            try self.storage.spoil(name, "cannot read \(name)", at: self.bucket)
            self.storage.put("new/1/a", "new", at: self.bucket)
            try await self.listTwice(test, api, until: ["\(name): 1", "mpg: 1", "new: 1"].sorted())
            #expect(try await TestLibrary.text("\(api.ensure(name, 1))/a") == "old")
            #expect(await api.models.status().first { $0.model == name }?.error == "cannot read \(name)")
            #expect(await api.models.troubles() == ["cannot read \(name)"])
            try self.storage.spoil(name, nil, at: self.bucket)
            self.storage.put("newer/1/a", "newer", at: self.bucket)
            try await self.listTwice(test, api, until: ["mpg: 1", "new: 1", "newer: 1"])
            #expect(await api.models.troubles().isEmpty)
        }
    }

    @Test func `what is flawed beside the versions is shown, and new versions come`() async throws {
        self.storage[self.bucket] = ["1/a": "one"]
        try self.storage.spoil("x", "x cannot be a file", at: self.bucket)
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try ModelRequest(.python, .single(ModelSource(self.bucket))))
            #expect(await api.offered() == ["_cortex_default: 1"])
            #expect(await api.models.troubles() == ["x cannot be a file"])
            self.storage.put("2/a", "two", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 1 2"])
        }
    }

    @Test func `a note and a flaw beside the versions of a Python model leave them`() async throws {
        self.storage[self.bucket] = ["1/a": "one"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try ModelRequest(.python, .single(ModelSource(self.bucket))))
            try self.storage.spoil("x", "x cannot be a file", at: self.bucket)
            self.storage.put("README", "a note", at: self.bucket)
            self.storage.put("2/a", "two", at: self.bucket)
            try await self.listTwice(test, api, until: ["_cortex_default: 1 2"])
            let troubles = await api.models.troubles()
            #expect(troubles.count == 2 && troubles.last == "x cannot be a file")
        }
    }

    @Test func `a restart with the store away knows what was flawed`() async throws {
        self.storage[self.bucket] = ["iris/1/a": "one", "iris/2/a": "two"]
        try self.storage.spoil("iris/2/x", "iris/2/x cannot be a file", at: self.bucket)
        let request = try ModelRequest(.python, .directory(ModelSource(self.bucket)))
        try await withTemporaryFolder { folder in
            let now = LibraryTime(ManualClock()).wall()
            for isFirst in [true, false] {
                try await TestLibrary.run(self.storage, folder: "\(folder)/models", now: now) { test in
                    let api = try await test.open(request)
                    #expect(await api.offered() == ["iris: 1"])
                    let errors = await api.models.status().compactMap(\.error)
                    #expect(errors == ["version 2 cannot be served: iris/2/x cannot be a file"])
                    if isFirst {
                        await test.untilSettled(1)
                        await test.untilListingKept()
                        await api.models.close(keepFiles: true)
                    }
                }
                self.storage.failListings(.unreachable("s3://models does not answer"))
            }
        }
    }

    @Test(arguments: FolderFlawTests.rows)
    func `a folder of this machine with a flaw goes on`(row: FolderFlawTests.Row) async throws {
        let source = try SourceFolder(["1/a": "one", "2/a": "two"])
        try await TestLibrary.run(self.storage, now: 4_000_000_000_000) { test in
            let location = ModelLocation.folder(source.path)
            let api = try await test.open(try ModelRequest(.python, .single(ModelSource(location))))
            try row.make(source)
            try source.write("3/a", "three")
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 1 2 3"])
            #expect(try await TestLibrary.text("\(api.ensure(ModelRequest.singleName, 2))/a") == "two")
            let status = await api.models.status()
            #expect(status.map { $0.error != nil } == [false, true, false])
        }
    }

    /// Has a change adopted, and returns when what came with it is offered; all of the change has been looked at then.
    private func listTwice(_ test: TestLibrary, _ api: TestAPI, until offered: [String]) async throws {
        await test.clock.wakeNext()
        await test.clock.wakeNext()
        while await api.offered() != offered { _ = try await api.change() }
    }
}
