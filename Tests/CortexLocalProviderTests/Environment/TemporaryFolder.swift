import Foundation

/// A folder of a test's own, gone with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        // Resolved, since a Mac's temporary folder is behind a link.
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        self.path = "\(base)/cortex-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// Writes a file, with the folders around it.
    func write(_ path: String, _ text: String = "", executable: Bool = false) throws {
        let location = "\(self.path)/\(path)"
        let folder = (location as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: location))
        let mode = executable ? 0o755 : 0o644
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: location)
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(self.path)/\(path)", encoding: .utf8)
    }

    func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(self.path)/\(path)").sorted()
    }
}
