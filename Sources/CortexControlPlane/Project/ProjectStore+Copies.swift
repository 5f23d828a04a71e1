import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the folder has of an ``ArchiveStorage``.
extension ProjectStore {
    /// The folder's copies together; what was needed longest ago goes first.
    ///
    /// A copy costs one transfer to have again.
    private static let mostBytes: Int64 = 2 << 30

    /// Why projects cannot be kept now, in words; nil where they can.
    package func problem() async -> String? {
        do {
            try await self.storage?.check()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Where projects are kept; nil for this machine's own disk.
    package nonisolated var place: String? { self.storage?.name }

    /// Sees to it that the folder has the project.
    ///
    /// - Returns: False where it is not kept.
    func bring(_ hash: ProjectHash) async throws -> Bool {
        if self.isHere(hash) { return true }
        guard let storage else { return false }
        return try await self.fetches.withTurn {
            // By whoever was before.
            if self.isHere(hash) { return true }
            let temporary = self.temporaryPath
            defer { unlink(temporary) }
            guard try await storage.fetch(hash, to: temporary) else { return false }
            let actual: ProjectHash
            do {
                actual = try await Self.hash(of: OpenFile(reading: temporary), limits: self.limits)
            } catch ProjectError.malformedArchive(let what) {
                throw ProjectError.storage("what is kept as \(hash) in \(storage.name) is no project: \(what)")
            }
            guard actual == hash else {
                throw ProjectError.storage("what is kept as \(hash) in \(storage.name) is another project")
            }
            guard rename(temporary, self.path(of: hash)) == 0 else {
                throw ProjectError.system("store", self.path(of: hash))
            }
            self.trim(sparing: hash)
            return true
        }
    }

    /// Removes copies until those that stay are within their bound.
    func trim(sparing hash: ProjectHash) {
        guard self.storage != nil, let copies = try? self.copies() else { return }
        var bytes = copies.reduce(0) { $0 + $1.bytes }
        for copy in copies.sorted(by: { $0.stored < $1.stored }) where bytes > Self.mostBytes && copy.hash != hash {
            // Who reads it now has it open, and reads on.
            try? self.forget(copy.hash)
            bytes -= copy.bytes
        }
    }
}
