import CortexControlPlane
import Foundation
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProjectStoreTests {
    private let place: TemporaryFolder
    private let store: ProjectStore
    private let files: [ProjectFile]
    private let hash: ProjectHash
    private let source: TemporaryFolder

    init() async throws {
        self.place = try TemporaryFolder()
        self.store = try ProjectStore(folder: "\(self.place.path)/projects")
        self.source = try TemporaryFolder()
        try self.source.write("predictor.py", "class PythonPredictor: ...")
        try self.source.write("run.sh", "", executable: true)
        try self.source.write("data/values.json", String(repeating: "7", count: 600_000))
        self.files = try ProjectPacker(root: self.source.path, configFile: "cortex.yaml", home: nil).files()
        self.hash = try await ProjectHash.of(self.files)
    }

    private struct Broken: Error {}

    /// The archive's first pieces, then an error or the end.
    private func upload(pieces: Int, failing: Bool) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        var buffers: [ByteBuffer] = []
        for try await piece in ProjectArchive(self.files) { buffers.append(piece) }
        try #require(buffers.count > pieces)
        return AsyncThrowingStream { continuation in
            for buffer in buffers.prefix(pieces) { continuation.yield(buffer) }
            continuation.finish(throwing: failing ? Broken() : nil)
        }
    }

    @Test func `a stored project is there, once and for its owner only`() async throws {
        #expect(try await !self.store.contains(self.hash))
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        #expect(try await self.store.contains(self.hash))
        #expect(try self.place.contents() == ["projects", "projects/\(self.hash).tar"])
        let attributes = try FileManager.default.attributesOfItem(
            atPath: "\(self.place.path)/projects/\(self.hash).tar"
        )
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try await self.store.remove(self.hash)
        try await self.store.remove(self.hash)
        #expect(try await !self.store.contains(self.hash))
    }

    @Test func `an upload that breaks off leaves nothing`() async throws {
        let failing = try await self.upload(pieces: 1, failing: true)
        await #expect(throws: Broken.self) { try await self.store.store(self.hash, from: failing) }
        let short = try await self.upload(pieces: 2, failing: false)
        await #expect(throws: ProjectError.malformedArchive("it is cut short")) {
            try await self.store.store(self.hash, from: short)
        }
        #expect(try self.place.contents() == ["projects"])
    }

    @Test func `a cancelled upload leaves nothing`() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .unbounded)
        let task = Task { try await self.store.store(self.hash, from: stream) }
        continuation.yield(ByteBuffer(repeating: 0, count: 100))
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(try self.place.contents() == ["projects"])
    }

    @Test func `content that is not what its hash says is refused`() async throws {
        let other = try #require(ProjectHash(String(repeating: "0", count: 64)))
        await #expect(throws: ProjectError.hashMismatch(expected: other, actual: self.hash)) {
            try await self.store.store(other, from: ProjectArchive(self.files))
        }
        #expect(try self.place.contents() == ["projects"])
    }

    @Test func `opening the store removes what was left half uploaded, and keeps the rest`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        try self.place.write("projects/.upload-1", "half")
        let reopened = try ProjectStore(folder: "\(self.place.path)/projects")
        #expect(try await reopened.contains(self.hash))
        #expect(try self.place.contents() == ["projects", "projects/\(self.hash).tar"])
    }

    @Test func `a project is unpacked whole, and never over another`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        try await self.store.unpack(self.hash, into: "\(self.place.path)/out")
        #expect(try self.place.text("out/predictor.py") == "class PythonPredictor: ...")
        #expect(FileManager.default.isExecutableFile(atPath: "\(self.place.path)/out/run.sh"))
        #expect(!FileManager.default.isExecutableFile(atPath: "\(self.place.path)/out/predictor.py"))
        let before = try self.place.contents()
        await #expect(throws: ProjectError.self) {
            try await self.store.unpack(self.hash, into: "\(self.place.path)/out")
        }
        #expect(try self.place.contents() == before)
    }

    @Test func `a project that is not stored cannot be unpacked`() async throws {
        await #expect(throws: ProjectError.notStored(self.hash)) {
            try await self.store.unpack(self.hash, into: "\(self.place.path)/out")
        }
        #expect(try self.place.contents() == ["projects"])
    }

    @Test func `a stored archive that has rotted unpacks to nothing`() async throws {
        try await self.store.store(self.hash, from: ProjectArchive(self.files))
        let tar = "\(self.place.path)/projects/\(self.hash).tar"
        try Data(contentsOf: URL(fileURLWithPath: tar)).dropLast(2000).write(to: URL(fileURLWithPath: tar))
        await #expect(throws: ProjectError.self) {
            try await self.store.unpack(self.hash, into: "\(self.place.path)/out")
        }
        #expect(try self.place.contents() == ["projects", "projects/\(self.hash).tar"])
    }
}
