package import Foundation

/// A place beyond this machine in which projects are kept for good, such as a folder of an object store.
///
/// Each archive is there whole or not at all. What fails throws ``ProjectError/storage(_:)``.
package protocol ArchiveStorage: Sendable {
    /// As users know it: `s3://bucket/projects/`.
    var name: String { get }

    /// Returns once an archive can be kept here, for all that is known.
    func check() async throws
    func contains(_ hash: ProjectHash) async throws -> Bool
    /// - Parameter file: The archive, on this machine.
    func put(_ hash: ProjectHash, from file: String) async throws
    /// - Parameter file: Where the archive goes, on this machine; is not there yet.
    /// - Returns: False where it is not kept here.
    func fetch(_ hash: ProjectHash, to file: String) async throws -> Bool
    func list() async throws -> [KeptArchive]
    /// What is not there is no failure.
    func remove(_ hashes: [ProjectHash]) async throws
}

/// An archive in an ``ArchiveStorage``.
package struct KeptArchive: Hashable, Sendable {
    package var hash: ProjectHash
    package var bytes: Int64
    package var stored: Date

    package init(hash: ProjectHash, bytes: Int64, stored: Date) {
        self.hash = hash
        self.bytes = bytes
        self.stored = stored
    }
}
