import CortexControlPlane
import CortexModels
import CortexSpec
import Foundation

/// A folder of an object store in which the operator keeps projects, each as `HASH.tar`.
///
/// It is one installation's own: what its APIs do not need, a prune removes.
struct ProjectPlace: ArchiveStorage {
    /// What a place may be, in words.
    static let allowed = "volume, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER and az://CONTAINER/FOLDER"

    /// Far more than an installation has.
    private static let mostProjects = 1_000_000
    /// Is there while ``check()`` tries the place.
    private static let probe = "cortex-check"

    /// Ends in `/`.
    let name: String
    private let location: ModelLocation
    private let agent: StorageAgent

    init(_ url: String, agent: StorageAgent) {
        self.name = url
        self.location = .remote(RemoteLocation(url: url))
        self.agent = agent
    }

    /// The URL of such a place, ending in `/`; nil where the text is none.
    static func url(_ text: String) -> String? {
        guard case .url(let url)? = try? ModelAddress.parse(text) else { return nil }
        return ["s3://", "gs://", "az://"].contains { url.hasPrefix($0) } ? url : nil
    }

    func check() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "cortex-check-\(UUID().uuidString)")
        let path = file.path(percentEncoded: false)
        try Data("written by the operator of Cortex, to see whether it may\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await self.translated {
            try await self.agent.put(path, as: Self.probe, at: self.location)
            try await self.agent.remove([Self.probe], at: self.location)
        }
    }

    func contains(_ hash: ProjectHash) async throws -> Bool {
        try await self.translated { try await self.agent.find(Self.path(hash), at: self.location) != nil }
    }

    func put(_ hash: ProjectHash, from file: String) async throws {
        try await self.translated { try await self.agent.put(file, as: Self.path(hash), at: self.location) }
    }

    func fetch(_ hash: ProjectHash, to file: String) async throws -> Bool {
        // Objects come into a folder of their own.
        let folder = "\(file).parts"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await self.translated {
            guard let object = try await self.agent.find(Self.path(hash), at: self.location) else { return false }
            try await self.agent.fetch([object], of: self.location, dropping: "", into: folder) { _ in }
            try FileManager.default.moveItem(atPath: "\(folder)/\(Self.path(hash))", toPath: file)
            return true
        }
    }

    func list() async throws -> [KeptArchive] {
        try await self.translated {
            try await self.agent.list(self.location, limit: Self.mostProjects).compactMap { object in
                guard object.path.hasSuffix(".tar"), let hash = ProjectHash(object.path.dropLast(4)) else { return nil }
                let time = Date(timeIntervalSince1970: Double(object.modified) / 1000)
                return KeptArchive(hash: hash, bytes: object.size, stored: time)
            }
        }
    }

    func remove(_ hashes: [ProjectHash]) async throws {
        try await self.translated { try await self.agent.remove(hashes.map(Self.path), at: self.location) }
    }

    private static func path(_ hash: ProjectHash) -> String { "\(hash).tar" }

    private func translated<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch StorageError.cancelled {
            throw CancellationError()
        } catch let error as StorageError {
            throw ProjectError.storage("projects cannot be kept in \(self.name): \(error)")
        }
    }
}
