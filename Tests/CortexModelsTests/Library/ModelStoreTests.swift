import Logging
import Testing

@testable import CortexModels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite(.timeLimit(.minutes(1))) struct ModelStoreTests {
    private static let day: Int64 = 24 * 3600 * 1000

    private let storage = MemoryStorage()

    private func store(_ folder: String, now: Int64 = 0) throws -> ModelStore {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try ModelStore(folder: folder, storage: self.storage, now: now, logger: logger)
    }

    private func item(_ number: Int = 1, _ text: String = "content") throws -> StoreItem {
        self.storage.put("\(number)/sub/file", text, at: TestLibrary.bucket)
        let object = try StoredObject(path: "\(number)/sub/file", size: Int64(text.utf8.count), modified: 0, tag: text)
        return StoreItem(
            generation: "generation-\(number)",
            location: TestLibrary.bucket,
            objects: [object],
            prefix: "\(number)/",
            version: try version(number),
            shown: "s3://models/iris/, version \(number)"
        )
    }

    @Test func `sixty-four calls are one download`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            self.storage.hold()
            let paths = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 1...64 { group.addTask { try await store.bring(item) } }
                await self.storage.untilHeld(1)
                self.storage.letGo()
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            let path = try #require(paths.first)
            #expect(paths.count == 1 && path.hasSuffix("/1"))
            #expect(try TestLibrary.text("\(path)/sub/file") == "content")
            #expect(self.storage.fetches.count == 1)
            #expect(try TestLibrary.names("\(folder)/models/incoming").isEmpty)
        }
    }

    @Test func `files and folders cannot be written`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            let path = try await store.bring(item)
            #expect(try Self.mode(path) == 0o555)
            #expect(try Self.mode("\(path)/sub") == 0o555)
            #expect(try Self.mode("\(path)/sub/file") == 0o444)
            let trash = try #require(store.unclaim(item.generation, by: 1))
            #expect(!FileManager.default.fileExists(atPath: path))
            await store.erase(trash)
            #expect(try TestLibrary.names("\(folder)/models/incoming").isEmpty)
        }
    }

    @Test func `a download ends when nobody waits for it, not before`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            self.storage.hold()
            let first = Task { try await store.bring(item) }
            await self.storage.untilHeld(1)
            let second = Task { try await store.bring(item) }
            while store.waiting(for: item.generation) < 2 { await Task.yield() }
            first.cancel()
            await #expect(throws: StorageError.cancelled) { try await first.value }
            #expect(self.storage.cancelledFetches == 0)
            second.cancel()
            await #expect(throws: StorageError.cancelled) { try await second.value }
            #expect(self.storage.cancelledFetches == 1)
            #expect(try TestLibrary.names("\(folder)/models/incoming").isEmpty)
            // What is abandoned can be had again.
            self.storage.letGo()
            _ = try await store.bring(item)
            #expect(self.storage.fetches.count == 2)
        }
    }

    @Test func `the end of the last claim ends a download`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            self.storage.hold()
            let waiting = Task { try await store.bring(item) }
            await self.storage.untilHeld(1)
            #expect(store.unclaim(item.generation, by: 1) == nil)
            await #expect(throws: StorageError.cancelled) { try await waiting.value }
            #expect(!store.isWhole(item.generation))
        }
    }

    @Test func `a generation stays as long as somebody needs it`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            store.claim(item.generation, by: 2)
            _ = try await store.bring(item)
            #expect(store.unclaim(item.generation, by: 1) == nil)
            #expect(store.unclaim(item.generation, by: 1) == nil)
            #expect(store.isWhole(item.generation))
            #expect(store.unclaim(item.generation, by: 2) != nil)
            #expect(!store.isWhole(item.generation))
        }
    }

    @Test(arguments: [
        StorageError.changed("it changed"), .denied("no"), .diskFull("full"), .truncated("short"), .unreachable("gone"),
    ])
    func `a failed download leaves nothing`(error: StorageError) async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            self.storage.fail("1/", error)
            await #expect(throws: error) { try await store.bring(item) }
            #expect(try TestLibrary.names("\(folder)/models/incoming").isEmpty)
            #expect(try TestLibrary.names("\(folder)/models/objects").isEmpty)
            self.storage.fail("1/", nil)
            _ = try await store.bring(item)
        }
    }

    @Test func `what came short is not taken`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let good = try self.item()
            let object = try StoredObject(path: "1/sub/file", size: 1000, modified: 0, tag: "content")
            let item = StoreItem(
                generation: good.generation,
                location: good.location,
                objects: [object],
                prefix: good.prefix,
                version: good.version,
                shown: good.shown
            )
            store.claim(item.generation, by: 1)
            await #expect(
                throws: StorageError.truncated(
                    "s3://models/iris/, version 1: 1/sub/file has 1000 bytes, of which 7 came"
                )
            ) { try await store.bring(item) }
            #expect(try TestLibrary.names("\(folder)/models/objects").isEmpty)
        }
    }

    @Test func `a start clears what was half done, and what nobody has needed for a day`() async throws {
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            let first = try self.store(models)
            for number in 1...3 {
                let item = try self.item(number)
                first.claim(item.generation, by: 1)
                _ = try await first.bring(item)
            }
            // The disk has them a little after those who waited.
            await Self.untilSettled(models, 3)
            #expect(
                try TestLibrary.text("\(models)/objects/generation-1/about.json").contains(
                    "s3://models/iris/, version 1"
                )
            )
            try FileManager.default.createDirectory(
                atPath: "\(models)/incoming/half/3",
                withIntermediateDirectories: true
            )
            try DiskFolder.remove("\(models)/objects/generation-2/about.json")
            let used = try #require(DiskFolder.modified("\(models)/objects/generation-1/about.json"))

            let second = try self.store(models, now: used)
            #expect(second.isWhole("generation-1") && second.isWhole("generation-3"))
            #expect(!second.isWhole("generation-2"))
            #expect(try TestLibrary.names("\(models)/incoming").isEmpty)
            #expect(try TestLibrary.names("\(models)/objects").sorted() == ["generation-1", "generation-3"])
            let item = try self.item(1)
            second.claim(item.generation, by: 1)
            #expect(try TestLibrary.text("\(await second.bring(item))/sub/file") == "content")
            #expect(self.storage.fetches.count == 3)

            let third = try self.store(models, now: used + 2 * Self.day)
            #expect(!third.isWhole("generation-3"))
            #expect(try TestLibrary.names("\(models)/objects").isEmpty)
        }
    }

    @Test func `what is in use keeps its place over a crash`() async throws {
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            let first = try self.store(models)
            let item = try self.item()
            first.claim(item.generation, by: 1)
            _ = try await first.bring(item)
            await Self.untilSettled(models, 1)
            let about = "\(models)/objects/generation-1/about.json"
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1000)],
                ofItemAtPath: about
            )
            #expect(DiskFolder.modified(about) == 1_000_000)
            await first.touch()
            #expect(try #require(DiskFolder.modified(about)) > 1_000_000)
        }
    }

    @Test func `what a crash has left goes after a day of a server that goes on`() async throws {
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            let first = try self.store(models)
            for number in [1, 2] {
                let item = try self.item(number)
                first.claim(item.generation, by: 1)
                _ = try await first.bring(item)
            }
            await Self.untilSettled(models, 2)
            let used = try #require(DiskFolder.modified("\(models)/objects/generation-1/about.json"))
            let second = try self.store(models, now: used)
            second.claim("generation-2", by: 1)
            await second.sweep(now: used + Self.day / 2)
            #expect(second.isWhole("generation-1"))
            await second.sweep(now: used + 2 * Self.day)
            #expect(!second.isWhole("generation-1") && second.isWhole("generation-2"))
            #expect(try TestLibrary.names("\(models)/objects") == ["generation-2"])
            #expect(try TestLibrary.names("\(models)/incoming").isEmpty)
        }
    }

    @Test func `what nobody has claimed is counted, and removed at once`() async throws {
        try await withTemporaryFolder { folder in
            let models = "\(folder)/models"
            let first = try self.store(models)
            for number in [1, 2] {
                let item = try self.item(number)
                first.claim(item.generation, by: 1)
                _ = try await first.bring(item)
            }
            await Self.untilSettled(models, 2)
            let used = try #require(DiskFolder.modified("\(models)/objects/generation-1/about.json"))
            let second = try self.store(models, now: used)
            second.claim("generation-2", by: 1)
            #expect(await second.removeIdle(isDryRun: true) == (1, 7))
            #expect(try TestLibrary.names("\(models)/objects") == ["generation-1", "generation-2"])
            #expect(await second.removeIdle(isDryRun: false) == (1, 7))
            #expect(try TestLibrary.names("\(models)/objects") == ["generation-2"])
            #expect(await second.removeIdle(isDryRun: false) == (0, 0))
        }
    }

    @Test func `progress is told to all who wait`() async throws {
        try await withTemporaryFolder { folder in
            let store = try self.store("\(folder)/models")
            let item = try self.item()
            store.claim(item.generation, by: 1)
            let (bytes, byte) = AsyncStream.makeStream(of: Int64.self)
            _ = try await store.bring(item) { byte.yield($0) }
            byte.finish()
            let all = await bytes.reduce(into: [Int64]()) { $0.append($1) }
            #expect(all == [1, 7])
        }
    }

    private static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    /// Returns when the disk has all of `count` generations.
    private static func untilSettled(_ models: String, _ count: Int) async {
        func settled() throws -> Int {
            try TestLibrary.names("\(models)/objects").filter {
                DiskFolder.modified("\(models)/objects/\($0)/about.json") != nil
            }.count
        }
        while (try? settled()) != count { await Task.yield() }
    }
}
