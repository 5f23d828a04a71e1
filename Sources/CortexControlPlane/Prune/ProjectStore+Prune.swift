import CFileStatus
import Foundation

extension ProjectStore {
    /// Whether a project is kept; it stays for a while then, for the deploy that the question comes before.
    package func hold(_ hash: ProjectHash) async throws -> Bool {
        if let storage, try await !storage.contains(hash) {
            guard self.isHere(hash) else { return false }
            // Somebody has removed it there; its copy is as good.
            try await storage.put(hash, from: self.path(of: hash))
        }
        guard try await self.bring(hash) else { return false }
        return utimensat(AT_FDCWD, self.path(of: hash), nil, 0) == 0
    }

    /// Removes the projects that `isKept` does not ask for.
    ///
    /// - Parameters:
    ///   - isDryRun: Whether it is only counted.
    ///   - isKept: Is told when a project was last stored or held.
    func prune(
        isDryRun: Bool,
        isKept: @Sendable (ProjectHash, Date) -> Bool
    ) async throws -> PruneItem {
        let kept = try await self.storage?.list()
        let copies = try self.copies()
        var item = PruneItem(.projects)
        var removed: [ProjectHash] = []
        for archive in kept ?? copies {
            let held = kept == nil ? nil : copies.first { $0.hash == archive.hash }?.stored
            guard !isKept(archive.hash, max(archive.stored, held ?? archive.stored)) else { continue }
            removed.append(archive.hash)
            item.count += 1
            item.bytes += archive.bytes
        }
        guard !isDryRun else { return item }
        try await self.storage?.remove(removed)
        for hash in removed { try self.forget(hash) }
        return item
    }

    /// What the folder has, with the times when it was last stored or held, and the bytes of the disk that it takes.
    func copies() throws -> [KeptArchive] {
        try FileManager.default.contentsOfDirectory(atPath: self.folder).compactMap { name in
            var status = FileStatus()
            guard
                name.hasSuffix(".tar"), let hash = ProjectHash(String(name.dropLast(4))),
                cortex_stat(self.path(of: hash), &status) == 0
            else { return nil }
            return KeptArchive(
                hash: hash,
                // Units of 512 bytes, whatever the file system's own.
                bytes: status.blocks * 512,
                stored: Date(timeIntervalSince1970: Double(status.seconds) + Double(status.nanoseconds) / 1e9)
            )
        }
    }
}
