import Testing

@testable import CortexModels

/// APIs without a cache: everything is on disk before it is offered.
@Suite(.timeLimit(.minutes(1))) struct ModelLibraryTests {
    private let storage = MemoryStorage()
    private let bucket = TestLibrary.bucket

    private func single() throws -> ModelRequest { try ModelRequest(.python, .single(ModelSource(self.bucket))) }

    private func directory() throws -> ModelRequest { try ModelRequest(.python, .directory(ModelSource(self.bucket))) }

    @Test func `opens with all valid versions on disk`() async throws {
        self.storage[self.bucket] = ["1/model": "one", "3/model": "three"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            #expect(await api.offered() == ["_cortex_default: 1 3"])
            #expect(try test.onDisk() == ["one", "three"])
            let folder = try await api.ensure(ModelRequest.singleName, 3)
            #expect(folder.hasSuffix("/3"))
            #expect(try TestLibrary.text("\(folder)/model") == "three")
            #expect(self.storage.fetches.count == 2)
            let status = await api.models.status()
            #expect(status.map(\.version) == [try version(1), try version(3)])
            #expect(status.map(\.isLatest) == [false, true])
            #expect(status.map(\.size) == [3, 5])
            #expect(status.allSatisfy { $0.isOnDisk && $0.error == nil && $0.modified == 1000 })
        }
    }

    @Test func `a version that is being uploaded is offered when it stands still`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            self.storage.put("2/model", "tw", at: self.bucket)
            await test.clock.wakeNext()
            await self.storage.untilListed(self.bucket, 2)
            self.storage.put("2/model", "two", at: self.bucket)
            #expect(await test.clock.wakeNext(within: .seconds(1)) == .seconds(1))
            await self.storage.untilListed(self.bucket, 3)
            #expect(await api.offered() == ["_cortex_default: 1"])
            #expect(self.storage.fetches == ["1/model"])
            #expect(await test.clock.wakeNext(within: .seconds(1)) == .seconds(1))
            let change = try await api.change()
            let versions = try #require(change.changed[ModelRequest.singleName]?.versions)
            #expect(versions.keys.sorted() == [try version(1), try version(2)])
            #expect(try test.onDisk() == ["one", "two"])
        }
    }

    @Test func `a removed version leaves the catalog at once and the disk after its last lease`() async throws {
        self.storage[self.bucket] = ["1/model": "one", "2/model": "two"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            let two = try version(2)
            let generation = try await api.generation(ModelRequest.singleName, two)
            _ = try await api.ensure(ModelRequest.singleName, 2, worker: "a")
            _ = try await api.ensure(ModelRequest.singleName, 2, worker: "b")
            self.storage.remove("2/", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            let change = try await api.change()
            #expect(change.changed[ModelRequest.singleName]?.versions.keys.sorted() == [try version(1)])
            #expect(try test.onDisk() == ["one", "two"])
            // Another worker, whose catalog is older, still gets it while it is there.
            let name = ModelRequest.singleName
            _ = try await api.models.ensure(name, two, generation: generation, worker: "c")
            await api.models.release(name, two, generation: generation, worker: "c")
            await api.models.release(name, two, generation: generation, worker: "a")
            #expect(try test.onDisk() == ["one", "two"])
            await api.models.workerEnded("b")
            #expect(try test.onDisk() == ["one"])
            await #expect(
                throws: ModelError.notFound("model _cortex_default has no version 2 with this content any more")
            ) {
                try await api.models.ensure(name, two, generation: generation, worker: "c")
            }
        }
    }

    @Test func `changed content is fetched before it is offered, and the old stays while it is leased`() async throws {
        self.storage[self.bucket] = ["1/model": "old"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            let name = ModelRequest.singleName
            let old = try await api.generation(name, try version(1))
            let folder = try await api.ensure(name, 1)
            self.storage[self.bucket] = ["1/model": "new!"]
            self.storage.hold()
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            await self.storage.untilHeld(1)
            #expect(try await api.generation(name, try version(1)) == old)
            self.storage.letGo()
            _ = try await api.change()
            #expect(try await api.generation(name, try version(1)) != old)
            #expect(try TestLibrary.text("\(folder)/model") == "old")
            #expect(try await TestLibrary.text("\(api.ensure(name, 1))/model") == "new!")
            await api.models.release(name, try version(1), generation: old, worker: "w")
            #expect(try test.onDisk() == ["new!"])
        }
    }

    @Test func `one bad version harms only itself`() async throws {
        self.storage[self.bucket] = ["1/model.onnx": "one", "2/model.onnx": "two", "3/readme": "none"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try ModelRequest(.onnx, .single(ModelSource(self.bucket))))
            #expect(await api.offered() == ["_cortex_default: 1 2"])
            var status = await api.models.status()
            #expect(status.last?.version?.number == 3 && status.last?.error?.contains("version 3") == true)
            #expect(status.last?.isLatest == false)
            // One that goes bad serves as it was.
            self.storage.put("2/second.onnx", "?", at: self.bucket)
            self.storage.put("4/model.onnx", "four", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 1 2 4"])
            #expect(try await TestLibrary.text("\(api.ensure(ModelRequest.singleName, 2))/model.onnx") == "two")
            status = await api.models.status()
            let second = try #require(status.first { $0.version?.number == 2 })
            #expect(second.error != nil && second.isOnDisk)
            // And goes when it is gone.
            self.storage.remove("2/", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 1 4"])
        }
    }

    @Test func `a version that cannot be downloaded is shown, and tried again`() async throws {
        self.storage[self.bucket] = ["1/model": "one", "2/model": "two"]
        self.storage.fail("2/", .denied("no permission to read 2/model"))
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            #expect(await api.offered() == ["_cortex_default: 1"])
            let status = await api.models.status()
            #expect(status.map(\.error) == [nil, "no permission to read 2/model"])
            #expect(status.map(\.isOnDisk) == [true, false])
            #expect(status.map(\.isLatest) == [true, false])
            self.storage.fail("2/", nil)
            // The first retry is due after 5 to 10 s, and looked at after a poll of 9 to 11 s.
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            _ = try await api.change()
            #expect(await api.offered() == ["_cortex_default: 1 2"])
            #expect(await api.models.status().allSatisfy { $0.error == nil })
        }
    }

    @Test func `names all models that have nothing to serve`() async throws {
        let (a, b, c) = (Self.place("a"), Self.place("b"), Self.place("c"))
        self.storage[a] = ["1/model": "one"]
        self.storage[b] = ["1/model": "two"]
        self.storage[c] = ["1": "a file"]
        self.storage.fail("1/", .denied("no permission"))
        try await TestLibrary.run(self.storage) { test in
            let request = try ModelRequest(
                .python,
                .named(zip(["a", "b", "c"], [a, b, c]).map { .init(name: $0, source: ModelSource($1)) })
            )
            let error = await #expect(throws: ModelOpenError.self) { try await test.open(request) }
            let problems = try #require(error).problems
            #expect(problems.count == 3 && problems[0] == "a: no permission" && problems[1] == "b: no permission")
            #expect(problems[2].contains("is a file"))
            // Nothing is left of the attempt.
            #expect(try test.onDisk().isEmpty)
            #expect(try test.incoming().isEmpty)
            self.storage.fail("1/", nil)
            self.storage[c] = ["1/model": "three"]
            let api = try await test.open(request)
            #expect(await api.offered() == ["a: 1", "b: 1", "c: 1"])
        }
    }

    @Test func `a name that appears beside versions takes none of them away`() async throws {
        self.storage[self.bucket] = ["1/model": "one", "2/model": "two"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            self.storage.put("3.tmp/model", "three", at: self.bucket)
            self.storage.put("4/model", "four", at: self.bucket)
            for _ in 1...2 { await test.clock.wakeNext() }
            let change = try await api.change()
            #expect(change.changed[ModelRequest.singleName]?.versions.count == 3)
            #expect(await api.offered() == ["_cortex_default: 1 2 4"])
            #expect(await api.models.troubles().first?.contains("3.tmp stands beside the versions") == true)

            // Neither does it for a server that comes back, and finds it there.
            await api.models.close(keepFiles: true)
            let again = try await test.open(try self.single(), isRestored: true)
            #expect(await again.offered() == ["_cortex_default: 1 2 4"])
        }
    }

    @Test func `a model that never had versions may have numbers in it`() async throws {
        self.storage[self.bucket] = ["1/layer": "one", "2/layer": "two", "config": "x"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.single())
            #expect(await api.offered() == ["_cortex_default: 1"])
            let folder = try await api.ensure(ModelRequest.singleName, 1)
            #expect(try TestLibrary.text("\(folder)/config") == "x")
        }
    }

    @Test func `what is opened again is taken as it is now`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let first = try await test.open(try self.single())
            self.storage.put("1/model", "mended", at: self.bucket)
            // Seen by the listing at the second open, and confirmed a settling time later.
            async let second = test.open(try self.single())
            await self.storage.untilListed(self.bucket, 2)
            #expect(await test.clock.wakeNext(within: .seconds(1)) == .seconds(1))
            let folder = try await second.ensure(ModelRequest.singleName, 1)
            #expect(try TestLibrary.text("\(folder)/model") == "mended")
            await first.models.close()
        }
    }

    @Test func `two APIs on one path cost one listing a poll`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let first = try await test.open(try self.single())
            let second = try await test.open(try self.single())
            // One at each open, since what the other has seen may be older than the wish.
            #expect(self.storage.listings(of: self.bucket) == 2)
            for _ in 1...3 { await test.clock.wakeNext() }
            await self.storage.untilListed(self.bucket, 5)
            #expect(self.storage.listings(of: self.bucket) == 5)
            #expect(self.storage.fetches.count == 1)
            // The files stay as long as one of them is there.
            await first.models.close()
            #expect(try test.onDisk() == ["one"])
            await second.models.close()
            #expect(try test.onDisk().isEmpty)
            await #expect(throws: ModelError.cancelled) { try await second.ensure(ModelRequest.singleName, 1) }
        }
    }

    @Test func `models whose names begin alike are apart`() async throws {
        self.storage[self.bucket] = ["app/1/model": "app one", "app/2/model": "app two", "apple/1/model": "apple one"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.directory())
            #expect(await api.offered() == ["app: 1 2", "apple: 1"])
            #expect(try await TestLibrary.text("\(api.ensure("app", 1))/model") == "app one")
            #expect(try await TestLibrary.text("\(api.ensure("apple", 1))/model") == "apple one")
            self.storage.remove("app/", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            #expect(try await api.change().removed == ["app"])
            #expect(await api.offered() == ["apple: 1"])
            #expect(try test.onDisk().contains("apple one"))
        }
    }

    @Test func `a source that is emptied leaves no models; one that cannot be listed leaves them`() async throws {
        self.storage[self.bucket] = ["iris/1/model": "one"]
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(try self.directory())
            self.storage.failListings(.notFound("there is no bucket models"))
            await test.clock.wakeNext()
            await self.storage.untilListed(self.bucket, 2)
            await test.clock.wakeNext()
            await self.storage.untilListed(self.bucket, 3)
            #expect(await api.offered() == ["iris: 1"])
            #expect(await api.models.troubles() == ["there is no bucket models"])
            self.storage.failListings(nil)
            self.storage[self.bucket] = [:]
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            #expect(try await api.change().removed == ["iris"])
            #expect(await api.models.troubles().isEmpty)
        }
    }

    @Test func `at most five downloads run at once`() async throws {
        for number in 1...20 { self.storage.put("m\(number)/1/model", "\(number)", at: self.bucket) }
        self.storage.hold()
        try await TestLibrary.run(self.storage) { test in
            async let api = test.open(try self.directory())
            await self.storage.untilHeld(5)
            #expect(self.storage.fetches.count == 5)
            self.storage.letGo()
            #expect(try await api.offered().count == 20)
            #expect(self.storage.mostRunning == 5)
        }
    }

    @Test func `an opening that is cancelled leaves nothing behind`() async throws {
        self.storage[self.bucket] = ["1/model": "one"]
        self.storage.hold()
        try await TestLibrary.run(self.storage) { test in
            let opening = Task { try await test.open(try self.single()) }
            await self.storage.untilHeld(1)
            opening.cancel()
            await #expect(throws: CancellationError.self) { try await opening.value }
            let left = try test.onDisk() + test.incoming()
            #expect(left.isEmpty)
        }
    }

    @Test func `a source that was never listed cannot be opened while it is away`() async throws {
        self.storage.failListings(.unreachable("s3://models does not answer"))
        try await TestLibrary.run(self.storage) { test in
            await #expect(throws: ModelOpenError(problems: ["s3://models does not answer"])) {
                try await test.open(try self.single())
            }
            self.storage.failListings(nil)
            self.storage[self.bucket] = ["1/model": "one"]
            let api = try await test.open(try self.single())
            #expect(await api.offered() == ["_cortex_default: 1"])
        }
    }

    @Test func `downloads are told of, once in two seconds`() async throws {
        self.storage[self.bucket] = ["1/model": String(repeating: "x", count: 4000), "2/model": "two"]
        try await TestLibrary.run(self.storage) { test in
            let (lines, line) = AsyncStream.makeStream(of: String.self)
            let open = { @Sendable in
                try await test.library.open(
                    try self.single(),
                    owner: "a",
                    progress: { line.yield($0) },
                    changed: { _ in }
                )
            }
            _ = try await open()
            _ = try await open()
            line.finish()
            let all = await lines.reduce(into: [String]()) { $0.append($1) }
            #expect(all.count == 1 && all.first?.hasPrefix("downloading version ") == true)
            #expect(all.first?.hasSuffix(" kB (1 of 2)") == true)
        }
    }

    @Test func `a folder of this machine is a source like others`() async throws {
        try await withTemporaryFolder { folder in
            let source = "\(folder)/iris"
            try TestLibrary.write("one", to: "\(source)/1/model")
            try await TestLibrary.run(self.storage, now: 4_000_000_000_000) { test in
                let api = try await test.open(try ModelRequest(.python, .single(ModelSource(.folder(source)))))
                #expect(await api.offered() == ["_cortex_default: 1"])
                try TestLibrary.write("two", to: "\(source)/2/model")
                let poll = await test.clock.wakeNext()
                #expect(poll < .seconds(3))
                await test.clock.wakeNext()
                _ = try await api.change()
                #expect(try await TestLibrary.text("\(api.ensure(ModelRequest.singleName, 2))/model") == "two")
                // The copy is the server's own.
                try TestLibrary.write("changed", to: "\(source)/1/model")
                #expect(try await TestLibrary.text("\(api.ensure(ModelRequest.singleName, 1))/model") == "one")
            }
        }
    }

    @Test func `twenty thousand models are taken in, and one change is one change`() async throws {
        var objects: [String: String] = [:]
        for number in 0..<20_000 { objects["model-\(number)/1/model"] = "x" }
        self.storage[self.bucket] = objects
        try await TestLibrary.run(self.storage) { test in
            let api = try await test.open(
                try ModelRequest(.python, .directory(ModelSource(self.bucket)), cacheSize: 50)
            )
            #expect(await api.models.catalog.models.count == 20_000)
            self.storage.put("model-7/2/model", "y", at: self.bucket)
            await test.clock.wakeNext()
            await test.clock.wakeNext()
            let change = try await api.change()
            #expect(change.changed.keys.sorted() == ["model-7"] && change.removed.isEmpty)
            #expect(self.storage.fetches.isEmpty)
        }
    }

    private static func place(_ name: String) -> ModelLocation { .remote(RemoteLocation(url: "s3://models/\(name)/")) }
}
