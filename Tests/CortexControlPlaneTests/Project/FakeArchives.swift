import CortexControlPlane
import Foundation

/// A place for archives in memory, which can be told to fail.
actor FakeArchives: ArchiveStorage {
    nonisolated let name = "s3://bucket/projects/"
    private(set) var archives: [ProjectHash: (data: Data, stored: Date)] = [:]
    /// How many archives were fetched.
    private(set) var fetches = 0
    private var failure: ProjectError?

    static let refusal = ProjectError.storage("projects cannot be kept in s3://bucket/projects/: access is denied")

    func fail(_ failure: ProjectError?) { self.failure = failure }

    func keep(_ hash: ProjectHash, _ data: Data, stored: Date = Date()) { self.archives[hash] = (data, stored) }

    var hashes: Set<ProjectHash> { Set(self.archives.keys) }

    private func attempt() throws {
        if let failure { throw failure }
    }

    func check() throws { try self.attempt() }

    func contains(_ hash: ProjectHash) throws -> Bool {
        try self.attempt()
        return self.archives[hash] != nil
    }

    func put(_ hash: ProjectHash, from file: String) throws {
        try self.attempt()
        self.archives[hash] = (try Data(contentsOf: URL(filePath: file)), Date())
    }

    func fetch(_ hash: ProjectHash, to file: String) throws -> Bool {
        try self.attempt()
        guard let archive = self.archives[hash] else { return false }
        self.fetches += 1
        try archive.data.write(to: URL(filePath: file))
        return true
    }

    func list() throws -> [KeptArchive] {
        try self.attempt()
        return self.archives.map { KeptArchive(hash: $0, bytes: Int64($1.data.count), stored: $1.stored) }
    }

    func remove(_ hashes: [ProjectHash]) throws {
        try self.attempt()
        for hash in hashes { self.archives[hash] = nil }
    }
}
