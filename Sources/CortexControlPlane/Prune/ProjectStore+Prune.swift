import CFileStatus
import Foundation

extension ProjectStore {
    /// Whether a project is here; it stays for a while then, for the deploy that the question comes before.
    package func hold(_ hash: ProjectHash) -> Bool {
        utimensat(AT_FDCWD, self.path(of: hash), nil, 0) == 0
    }

    /// Removes the projects that `isKept` does not ask for.
    ///
    /// - Parameters:
    ///   - isDryRun: Whether it is only counted.
    ///   - isKept: Is told when a project was last stored or held.
    func prune(
        isDryRun: Bool,
        isKept: @Sendable (ProjectHash, Date) -> Bool
    ) throws -> PruneItem {
        var item = PruneItem(.projects)
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder) where name.hasSuffix(".tar") {
            guard let hash = ProjectHash(String(name.dropLast(4))) else { continue }
            var status = FileStatus()
            guard cortex_stat(self.path(of: hash), &status) == 0 else { continue }
            let touched = Date(timeIntervalSince1970: Double(status.seconds) + Double(status.nanoseconds) / 1e9)
            guard !isKept(hash, touched) else { continue }
            if !isDryRun { try self.remove(hash) }
            item.count += 1
            item.bytes += status.blocks * 512
        }
        return item
    }
}
