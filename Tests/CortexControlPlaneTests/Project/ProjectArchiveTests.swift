import CortexControlPlane
import Foundation
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(2))) struct ProjectArchiveTests {
    private static func files(_ folder: TemporaryFolder) throws -> [ProjectFile] {
        try ProjectPacker(root: folder.path, configFile: "cortex.yaml", home: nil).files()
    }

    private static func bytes(_ files: [ProjectFile]) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in ProjectArchive(files) { bytes += piece.readableBytesView }
        return bytes
    }

    private static let awkwardPaths = [
        "a", "deep/" + String(repeating: "folder/", count: 40) + "file",
        String(repeating: "n", count: 100), String(repeating: "n", count: 101), String(repeating: "ü", count: 120),
        "with space", "new\nline", "ünï/cödé", "-", "x = y\n12 path=z",
    ]

    @Test func `files come out as they went in, with paths of any kind`() async throws {
        let folder = try TemporaryFolder()
        for (number, path) in Self.awkwardPaths.enumerated() {
            // Sizes around the block size and the piece size.
            let sizes = [0, 1, 511, 512, 513, 1 << 18, (1 << 18) + 1, 700_000]
            try folder.write(
                path,
                String(repeating: "\(number)", count: sizes[number % sizes.count]),
                executable: number % 3 == 0
            )
        }
        let files = try Self.files(folder)
        let hash = try await ProjectHash.of(files)
        let place = try TemporaryFolder()
        let store = try ProjectStore(folder: "\(place.path)/projects")
        try await store.store(hash, from: ProjectArchive(files))
        try await store.unpack(hash, into: "\(place.path)/out")

        let copy = try ProjectPacker(root: "\(place.path)/out", configFile: "cortex.yaml", home: nil).files()
        #expect(copy.map(\.path) == files.map(\.path))
        #expect(copy.map(\.isExecutable) == files.map(\.isExecutable))
        for (one, other) in zip(files, copy) {
            #expect(FileManager.default.contentsEqual(atPath: one.location, andPath: other.location))
        }
        #expect(try await ProjectHash.of(copy) == hash)
        #expect(try await store.entries(of: hash).map(\.path) == files.map(\.path))
    }

    @Test func `the archive has the length that was announced, and the same bytes each time`() async throws {
        let folder = try TemporaryFolder()
        for path in Self.awkwardPaths { try folder.write(path, path) }
        let files = try Self.files(folder)
        let bytes = try await Self.bytes(files)
        #expect(Int64(bytes.count) == ProjectArchive(files).byteCount)
        try FileManager.default.setAttributes([.modificationDate: Date.distantPast], ofItemAtPath: files[0].location)
        #expect(try await Self.bytes(Self.files(folder)) == bytes)
    }

    @Test func `tar itself reads the archive`() async throws {
        let folder = try TemporaryFolder()
        for path in Self.awkwardPaths { try folder.write(path, path) }
        let place = try TemporaryFolder()
        let bytes = try await Self.bytes(Self.files(folder))
        try Data(bytes).write(to: URL(fileURLWithPath: "\(place.path)/project.tar"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "-xf", "\(place.path)/project.tar", "-C", place.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for path in Self.awkwardPaths { #expect(try place.text(path) == path) }
    }

    @Test(arguments: ["12345", "1", "123456789"])
    func `a file that changes while it is packed is an error that names it`(content: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "1234")
        let files = try Self.files(folder)
        try folder.write("a", content)
        await #expect(throws: ProjectError.changed(path: "a")) { try await Self.bytes(files) }
        await #expect(throws: ProjectError.changed(path: "a")) { try await ProjectHash.of(files) }
    }

    @Test func `a file that became a link is not followed`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "1234")
        let files = try Self.files(folder)
        try FileManager.default.removeItem(atPath: "\(folder.path)/a")
        try folder.link("a", to: "/etc/hostname")
        await #expect(throws: ProjectError.self) { try await Self.bytes(files) }
    }
}
