#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The last adopted listing of a source, kept for a server that starts while the store is away.
struct ListingFile: Sendable {
    private struct Content: Codable {
        var version = 1
        var objects: [StoredObject]
    }

    let path: String

    /// What was written last; nil where nothing was, or it cannot be used.
    func read() async -> [StoredObject]? {
        let path = self.path
        return try? await DiskWork.run {
            let content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(filePath: path)))
            return content.version == 1 ? content.objects : nil
        }
    }

    /// Whole or not at all.
    func write(_ objects: [StoredObject]) async throws {
        let path = self.path
        try await DiskWork.run {
            try DiskFolder.write(JSONEncoder().encode(Content(objects: objects)), to: path)
        }
    }

    func remove() {
        // One file: where it stays, a start a day later removes it.
        try? DiskFolder.remove(self.path)
    }
}
