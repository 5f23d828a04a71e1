import Foundation
import Testing

/// A folder of a test, removed with what is in it when the test ends.
final class SourceFolder: Sendable {
    /// Without links in it.
    let path: String

    /// - Parameter files: Content by path.
    init(_ files: [String: String] = [:]) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cortex-source-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.path = folder.resolvingSymlinksInPath().path(percentEncoded: false)
        for (path, text) in files { try self.write(path, text) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func write(_ path: String, _ text: String) throws {
        let url = URL(filePath: "\(self.path)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: url)
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(self.path)/\(path)", withDestinationPath: target)
    }

    /// Makes a file in a folder, or a folder, whose name may be any bytes.
    func make(_ name: [UInt8], in folder: String = ".", isFolder: Bool = false) throws {
        let path = (Array("\(self.path)/\(folder)/".utf8) + name + [0]).map { CChar(bitPattern: $0) }
        if isFolder {
            try #require(mkdir(path, 0o700) == 0)
        } else {
            let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
            try #require(descriptor >= 0)
            close(descriptor)
        }
    }

    func makeFolder(_ path: String) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(self.path)/\(path)", withIntermediateDirectories: true)
        return "\(self.path)/\(path)"
    }

    func read(_ path: String) throws -> String {
        try String(contentsOfFile: "\(self.path)/\(path)", encoding: .utf8)
    }
}
