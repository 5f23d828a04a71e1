import Foundation
import NIOCore
import Testing

@testable import CortexControlPlane

/// Projects that are kept in a place beyond this machine.
@Suite(.timeLimit(.minutes(1))) struct ArchiveStorageTests {
    private let place: TemporaryFolder
    private let archives = FakeArchives()
    private let store: ProjectStore
    private let files: [ProjectFile]
    private let hash: ProjectHash
    private let source: TemporaryFolder

    init() async throws {
        self.place = try TemporaryFolder()
        self.store = try ProjectStore(folder: "\(self.place.path)/projects", storage: self.archives)
        self.source = try TemporaryFolder()
        try self.source.write("predictor.py", "class PythonPredictor: ...")
        self.files = try ProjectPacker(root: self.source.path, configFile: "cortex.yaml", home: nil).files()
        self.hash = try await ProjectHash.of(self.files)
    }

    private func loseCopies() throws {
        for name in try self.place.contents() where name.hasSuffix(".tar") {
            try FileManager.default.removeItem(atPath: "\(self.place.path)/\(name)")
        }
    }

    @Test func `what is stored is kept there, and comes back from there`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        #expect(await self.archives.hashes == [self.hash])
        #expect(try await self.store.hold(self.hash))
        #expect(await self.archives.fetches == 0)
        try self.loseCopies()
        #expect(try await self.store.contains(self.hash))
        #expect(try await self.store.entries(of: self.hash).map(\.path) == ["predictor.py"])
        #expect(try await self.store.archive(of: self.hash) != nil)
        #expect(await self.archives.fetches == 1)
        try await self.store.remove(self.hash)
        #expect(await self.archives.hashes == [])
        #expect(try await !self.store.hold(self.hash))
        #expect(try self.place.contents() == ["projects"])
    }

    @Test func `many who ask at once are served by one copy`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        try self.loseCopies()
        let sizes = try await withThrowingTaskGroup(of: Int?.self) { group in
            for _ in 0..<20 { group.addTask { try await self.store.archive(of: self.hash)?.size } }
            return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
        }
        #expect(sizes.count == 1 && sizes.first.flatMap { $0 } ?? 0 > 0)
        #expect(await self.archives.fetches == 1)
    }

    @Test func `what cannot be kept there is not stored`() async throws {
        await self.archives.fail(FakeArchives.refusal)
        await #expect(throws: FakeArchives.refusal) {
            try await self.store.store(self.hash, from: ProjectArchive(self.files))
        }
        #expect(try self.place.contents() == ["projects"])
        #expect(await self.store.problem() == FakeArchives.refusal.description)
        await #expect(throws: FakeArchives.refusal) { _ = try await self.store.hold(self.hash) }
        await self.archives.fail(nil)
        #expect(await self.store.problem() == nil)
        #expect(try await !self.store.hold(self.hash))
    }

    @Test func `an upload that breaks off never gets there`() async throws {
        let short = AsyncStream<ByteBuffer> { continuation in
            continuation.yield(ByteBuffer(repeating: 0, count: 100))
            continuation.finish()
        }
        await #expect(throws: ProjectError.self) { try await self.store.store(self.hash, from: short) }
        #expect(await self.archives.hashes == [])
    }

    @Test func `what was removed there by others is put back before a deploy`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        try await self.archives.remove([self.hash])
        #expect(try await self.store.hold(self.hash))
        #expect(await self.archives.hashes == [self.hash])
    }

    @Test func `what is there under the name of another is not served`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        let other = try #require(ProjectHash(String(repeating: "0", count: 64)))
        let data = try #require(await self.archives.archives[self.hash]?.data)
        await self.archives.keep(other, data)
        await #expect(throws: ProjectError.self) { _ = try await self.store.archive(of: other) }
        await self.archives.keep(other, Data("no archive at all".utf8))
        await #expect(throws: ProjectError.self) { _ = try await self.store.archive(of: other) }
        #expect(try self.place.contents() == ["projects", "projects/\(self.hash).tar"])
    }

    @Test func `a prune goes by what is there, and by what was held here`() async throws {
        func hash(_ digit: String) throws -> ProjectHash {
            try #require(ProjectHash(String(repeating: digit, count: 64)))
        }
        let old = Date(timeIntervalSinceNow: -7200)
        for digit in ["1", "2", "3"] { await self.archives.keep(try hash(digit), Data(count: 10), stored: old) }
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        // Held an hour ago at most: its copy tells.
        try Data(count: 10).write(to: URL(filePath: "\(self.place.path)/projects/\(try hash("2")).tar"))
        let wanted = try hash("3")
        let isKept: @Sendable (ProjectHash, Date) -> Bool = { $0 == wanted || $1.timeIntervalSinceNow > -3600 }
        let dry = try await self.store.prune(isDryRun: true, isKept: isKept)
        #expect((dry.count, dry.bytes) == (1, 10))
        #expect(await self.archives.hashes.count == 4)
        let done = try await self.store.prune(isDryRun: false, isKept: isKept)
        #expect(done == dry)
        #expect(await self.archives.hashes == [self.hash, try hash("2"), wanted])
    }
}
