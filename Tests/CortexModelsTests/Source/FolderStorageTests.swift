import Foundation
import Synchronization
import Testing

@testable import CortexModels

@Suite(.timeLimit(.minutes(1))) struct FolderStorageTests {
    private let storage = FolderStorage()

    private func list(_ path: String, limit: Int = 1000) async throws -> [StoredObject] {
        try await self.storage.list(.folder(path), limit: limit)
    }

    private func fails(_ path: String, limit: Int = 1000) async throws -> StorageError {
        let error = await #expect(throws: StorageError.self) { try await self.list(path, limit: limit) }
        return try #require(error)
    }

    @Test func `lists every file below the folder in order`() async throws {
        let folder = try SourceFolder(["1/a": "xyz", "1/sub/b": "", "1-old/c": "12", ".DS_Store": "", "2/.x/y": ""])
        _ = try folder.makeFolder("empty")
        let objects = try await self.list(folder.path)
        #expect(objects.map(\.path) == ["1-old/c", "1/a", "1/sub/b"])
        #expect(objects.map(\.size) == [2, 3, 0])
        let now = Int64(Date.now.timeIntervalSince1970 * 1000)
        #expect(objects.allSatisfy { abs($0.modified - now) < 60_000 })
    }

    @Test func `lists a folder of more than a thousand files up to the limit`() async throws {
        let folder = try SourceFolder(Dictionary(uniqueKeysWithValues: (0..<1100).map { ("f\($0)", "") }))
        #expect(try await self.list(folder.path, limit: 1100).count == 1100)
        let error = try await self.fails(folder.path, limit: 1099)
        #expect(error == .tooMany("\(folder.path) holds more than 1099 files or folders"))
    }

    @Test func `the tag tells a file that was written again or replaced`() async throws {
        let folder = try SourceFolder(["a": "one"])
        let first = try await self.list(folder.path)
        #expect(try await self.list(folder.path) == first)
        // Another file of the same size and time, as `cp -p` and `mv` leave it.
        try folder.write("b", "two")
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/a")
        let date = try #require(attributes[.modificationDate])
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(folder.path)/b")
        _ = rename("\(folder.path)/b", "\(folder.path)/a")
        #expect(try await self.list(folder.path).map(\.tag) != first.map(\.tag))
    }

    @Test func `links inside the folder are followed`() async throws {
        let folder = try SourceFolder(["store/weights": "w"])
        _ = try folder.makeFolder("1")
        try folder.link("1/weights", to: "../store/weights")
        try folder.link("2", to: "store")
        #expect(try await self.list(folder.path).map(\.path) == ["1/weights", "2/weights", "store/weights"])
    }

    @Test func `the folder itself may be a link`() async throws {
        let folder = try SourceFolder(["real/a": "x"])
        try folder.link("current", to: "real")
        #expect(try await self.list("\(folder.path)/current").map(\.path) == ["a"])
    }

    @Test func `a folder that is none is told`() async throws {
        let folder = try SourceFolder(["file": "x"])
        let missing = try await self.fails("\(folder.path)/nothing")
        #expect(missing == .notFound("there is no folder \(folder.path)/nothing"))
        let file = try await self.fails("\(folder.path)/file")
        #expect(file == .notFound("\(folder.path)/file is not a folder"))
        let below = try await self.fails("\(folder.path)/file/x")
        #expect(below == .notFound("there is no folder \(folder.path)/file/x: a part of the path is a file"))
        await #expect(throws: StorageError.self) {
            try await self.storage.list(.remote(RemoteLocation(url: "s3://b/k/")), limit: 1)
        }
    }

    @Test func `fetches what was listed below the prefix`() async throws {
        let large = String(repeating: "0123456789", count: 1_000_000)
        let folder = try SourceFolder(["3/a": "x", "3/sub/large": large, "3/sub/empty": "", "4/a": "other"])
        let objects = try await self.list(folder.path).filter { $0.path.hasPrefix("3/") }
        let target = try SourceFolder()
        let progress = Mutex<[Int64]>([])
        try await self.storage.fetch(objects, of: .folder(folder.path), dropping: "3/", into: target.path) { bytes in
            progress.withLock { $0.append(bytes) }
        }
        #expect(try await self.list(target.path).map(\.path) == ["a", "sub/empty", "sub/large"])
        #expect(try target.read("sub/large") == large)
        #expect(try target.read("a") == "x")
        let seen = progress.withLock { $0 }
        #expect(seen == seen.sorted())
        #expect(seen.last == 10_000_001)
        // At once only where the file system shares the blocks.
        #expect(zip(seen, [0] + seen).allSatisfy { $0 - $1 <= FileCopy.piece || $0 - $1 == 10_000_000 })
        #expect(FileCopy.piece <= 256 << 10)
    }

    @Test func `copies that wait keep no other task waiting`() async throws {
        let folder = try SourceFolder(["a": "x"])
        let objects = try await self.list(folder.path)
        // As many as there are threads for all tasks together.
        let count = ProcessInfo.processInfo.activeProcessorCount
        let targets = try (0..<count).map { _ in try SourceFolder() }
        let held = DispatchSemaphore(value: 0)
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let (ends, end) = AsyncStream.makeStream(of: DispatchTimeoutResult.self)
        try await withThrowingTaskGroup { group in
            for target in targets {
                group.addTask { [storage] in
                    try await storage.fetch(objects, of: .folder(folder.path), dropping: "", into: target.path) { _ in
                        continuation.yield()
                        end.yield(held.wait(timeout: .now() + 10))
                    }
                }
            }
            for await _ in begun.prefix(count) {}
            for _ in targets { held.signal() }
            try await group.waitForAll()
        }
        for await result in ends.prefix(count) { #expect(result == .success) }
    }

    @Test func `a copy ends with its task`() async throws {
        let folder = try SourceFolder(["a": String(repeating: "0", count: 3 * FileCopy.piece), "b": "x"])
        let objects = try await self.list(folder.path)
        let target = try SourceFolder()
        let held = DispatchSemaphore(value: 0)
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task { [storage] in
            try await storage.fetch(objects, of: .folder(folder.path), dropping: "", into: target.path) { _ in
                continuation.yield()
                _ = held.wait(timeout: .now() + 10)
            }
        }
        for await _ in begun.prefix(1) {}
        task.cancel()
        held.signal()
        await #expect(throws: StorageError.cancelled) { try await task.value }
        #expect(try await self.list(target.path).map(\.path) == ["a"])
    }

    @Test(arguments: [("xx", "longer"), ("y", "rewritten"), ("", "emptied")])
    func `a file that has changed since the listing is not fetched`(text: String, how: String) async throws {
        let folder = try SourceFolder(["a": "x"])
        let objects = try await self.list(folder.path)
        try folder.write("a", text)
        let target = try SourceFolder()
        let error = await #expect(throws: StorageError.self) {
            try await self.storage.fetch(objects, of: .folder(folder.path), dropping: "", into: target.path) { _ in }
        }
        #expect(error == .changed("\(folder.path)/a was changed while it was copied"))
    }

    @Test func `a file that is gone is a change`() async throws {
        let folder = try SourceFolder(["a": "x"])
        let objects = try await self.list(folder.path)
        try FileManager.default.removeItem(atPath: "\(folder.path)/a")
        let target = try SourceFolder()
        let error = await #expect(throws: StorageError.self) {
            try await self.storage.fetch(objects, of: .folder(folder.path), dropping: "", into: target.path) { _ in }
        }
        #expect(error == .changed("\(folder.path)/a was removed before it was copied"))
    }

    @Test func `a file that became a link out of the folder is not fetched`() async throws {
        let folder = try SourceFolder(["models/a": "x", "secret": "y"])
        let objects = try await self.list("\(folder.path)/models")
        try FileManager.default.removeItem(atPath: "\(folder.path)/models/a")
        try folder.link("models/a", to: "../secret")
        let target = try SourceFolder()
        let error = await #expect(throws: StorageError.self) {
            try await self.storage.fetch(
                objects,
                of: .folder("\(folder.path)/models"),
                dropping: "",
                into: target.path
            ) { _ in }
        }
        guard case .unsupported? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await self.list(target.path).isEmpty)
    }

    @Test func `a cancelled task copies nothing`() async throws {
        let folder = try SourceFolder(["a": "x"])
        let target = try SourceFolder()
        let objects = try await self.list(folder.path)
        let task = Task { [storage] in
            // Begins when it has been cancelled.
            while !Task.isCancelled { await Task.yield() }
            try await storage.fetch(objects, of: .folder(folder.path), dropping: "", into: target.path) { _ in }
        }
        task.cancel()
        await #expect(throws: StorageError.cancelled) { try await task.value }
    }

    @Test(arguments: [
        (ENOSPC, "disk"), (EDQUOT, "disk"), (EACCES, "denied"), (EPERM, "denied"), (ENOENT, "missing"), (EIO, "failed"),
    ]) func `errors of the system are told apart`(code: Int32, kind: String) {
        errno = code
        let error = StorageError.system("write", "/x/y")
        switch error {
        case .diskFull(let text): #expect(kind == "disk" && text.contains("make room"))
        case .denied(let text): #expect(kind == "denied" && text.contains("/x/y"))
        case .notFound: #expect(kind == "missing")
        case .failed: #expect(kind == "failed")
        default: Issue.record("\(error)")
        }
    }
}
