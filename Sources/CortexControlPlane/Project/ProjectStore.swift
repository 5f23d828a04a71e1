#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
package import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The projects that were uploaded, each an archive named by its hash: `<hash>.tar`, readable by its owner only.
///
/// An archive appears whole or not at all, and never changes. Where there is an ``ArchiveStorage``, that is what keeps them, and the
/// folder has copies of those that were needed last.
package actor ProjectStore {
    private static let uploadPrefix = ".upload-"

    let folder: String
    let limits: ProjectLimits
    let storage: (any ArchiveStorage)?
    /// One project at a time comes from the storage, so that many who ask for the same are served by one copy.
    let fetches = TurnQueue()

    /// Opens the store in `folder`, which is made if need be, and removes uploads that an earlier process left half done.
    /// - Parameter storage: Where archives are kept; nil for the folder itself.
    package init(
        folder: String,
        limits: ProjectLimits = .standard,
        storage: (any ArchiveStorage)? = nil
    ) throws {
        self.folder = folder
        self.limits = limits
        self.storage = storage
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        for name in try files.contentsOfDirectory(atPath: folder) where name.hasPrefix(Self.uploadPrefix) {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Whether the project is kept, whole.
    package func contains(_ hash: ProjectHash) async throws -> Bool {
        guard let storage else { return self.isHere(hash) }
        return try await storage.contains(hash)
    }

    /// Whether the folder has it.
    func isHere(_ hash: ProjectHash) -> Bool {
        access(self.path(of: hash), F_OK) == 0
    }

    /// Stores an uploaded archive; does so again, to the same end, where it is stored already.
    ///
    /// Throws ``ProjectError/hashMismatch(expected:actual:)`` where it is not the project that `hash` names, and whatever
    /// `upload` throws; nothing of it is kept then, nor when the task is cancelled.
    package func store<Upload: AsyncSequence & Sendable>(
        _ hash: ProjectHash,
        from upload: Upload
    ) async throws where Upload.Element == ByteBuffer {
        let temporary = self.temporaryPath
        defer { unlink(temporary) }
        let actual = try await Self.receive(upload, into: temporary, limits: self.limits)
        guard actual == hash else { throw ProjectError.hashMismatch(expected: hash, actual: actual) }
        // First, so that what can be named is kept.
        try await self.storage?.put(hash, from: temporary)
        guard rename(temporary, self.path(of: hash)) == 0 else {
            throw ProjectError.system("store", self.path(of: hash))
        }
        self.trim(sparing: hash)
    }

    /// The project's files, in the archive's order.
    package func entries(of hash: ProjectHash) async throws -> [ProjectEntry] {
        try await Self.entries(of: self.open(hash), limits: self.limits)
    }

    /// Writes the project's files into `folder`, which must not be there yet, or be empty.
    ///
    /// The folder appears with all its files at once; beside it, `<folder>.unpacking-…` is used until then.
    package func unpack(_ hash: ProjectHash, into folder: String) async throws {
        try await Self.unpack(self.open(hash), limits: self.limits, into: folder)
    }

    /// Forgets a project; none of that name is no error.
    package func remove(_ hash: ProjectHash) async throws {
        try await self.storage?.remove([hash])
        try self.forget(hash)
    }

    /// Removes it from the folder.
    func forget(_ hash: ProjectHash) throws {
        guard unlink(self.path(of: hash)) == 0 || errno == ENOENT else {
            throw ProjectError.system("remove", self.path(of: hash))
        }
    }

    func path(of hash: ProjectHash) -> String {
        "\(self.folder)/\(hash).tar"
    }

    /// A name in the folder for what is not whole yet.
    var temporaryPath: String { "\(self.folder)/\(Self.uploadPrefix)\(UUID().uuidString)" }

    private func open(_ hash: ProjectHash) async throws -> OpenFile {
        guard try await self.bring(hash) else { throw ProjectError.notStored(hash) }
        return try OpenFile(reading: self.path(of: hash))
    }
}

// Archives are large and files immutable: they are read and written outside of the actor, so that one upload or start does
// not hold up another.
extension ProjectStore {
    @concurrent
    private static func receive<Upload: AsyncSequence & Sendable>(
        _ upload: Upload,
        into temporary: String,
        limits: ProjectLimits
    ) async throws -> ProjectHash where Upload.Element == ByteBuffer {
        let file = try OpenFile(creating: temporary, isPrivate: true)
        var decoder = ArchiveDecoder(limits: limits)
        var hasher = ProjectHasher()
        for try await buffer in upload {
            try buffer.withUnsafeReadableBytes { bytes in
                try decoder.decode(bytes) { hasher.take($0) }
                try file.write(bytes)
            }
            try Task.checkCancellation()
        }
        try decoder.finish()
        try file.synchronise()
        return hasher.finish()
    }

    /// The hash of what an archive holds.
    @concurrent
    static func hash(of archive: OpenFile, limits: ProjectLimits) async throws -> ProjectHash {
        var hasher = ProjectHasher()
        try await Self.read(archive, limits: limits) { hasher.take($0) }
        return hasher.finish()
    }

    @concurrent
    private static func entries(of archive: OpenFile, limits: ProjectLimits) async throws -> [ProjectEntry] {
        var entries: [ProjectEntry] = []
        try await Self.read(archive, limits: limits) { event in
            if case .file(let entry) = event { entries.append(entry) }
        }
        return entries
    }

    @concurrent
    private static func unpack(_ archive: OpenFile, limits: ProjectLimits, into folder: String) async throws {
        let temporary = "\(folder).unpacking-\(UUID().uuidString)"
        // Gone already where it was renamed.
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        var unpacker = try ProjectUnpacker(into: temporary)
        try await Self.read(archive, limits: limits) { try unpacker.take($0) }
        guard rename(temporary, folder) == 0 else { throw ProjectError.system("unpack into", folder) }
    }

    private static func read(
        _ archive: OpenFile,
        limits: ProjectLimits,
        into sink: (ArchiveEvent) throws -> Void
    ) async throws {
        var decoder = ArchiveDecoder(limits: limits)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            try Task.checkCancellation()
            let count = try buffer.withUnsafeMutableBytes { try archive.read(into: $0) }
            try buffer.withUnsafeBytes { bytes in
                try decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[..<count]), into: sink)
            }
            if count < buffer.count { return try decoder.finish() }
            // Lets other work of this thread in between two disk accesses.
            await Task.yield()
        }
    }
}
