import Foundation
import Testing

@testable import CortexCommands

@Suite struct ProjectSnapshotTests {
    /// Runs `body` with a project of a config file, an ignored folder and two files.
    private func withProject(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "snapshot-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "data"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = folder.path(percentEncoded: false)
        for (name, text) in [
            ("cortex.yaml", "[]"), ("a.py", "1"), (".env", "A=1"), (".cortexignore", "data/"), ("data/x", "1"),
        ] {
            try Self.write(text, to: "\(root)/\(name)")
        }
        try body(root)
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private static func changes(
        _ root: String,
        besides: [String] = [],
        during change: () throws -> Void
    ) throws -> [String] {
        let before = ProjectSnapshot(of: root, configFile: "cortex.yaml", besides: besides)
        try change()
        return before.changes(to: ProjectSnapshot(of: root, configFile: "cortex.yaml", besides: besides))
    }

    @Test(arguments: ["a.py", "cortex.yaml", ".env"])
    func `sees a write`(_ file: String) throws {
        try self.withProject { root in
            let changed = try Self.changes(root) { try Self.write("longer", to: "\(root)/\(file)") }
            #expect(changed == [file])
        }
    }

    @Test func `sees a file of the same size and time that was renamed into place`() throws {
        try self.withProject { root in
            let changed = try Self.changes(root) {
                try Self.write("2", to: "\(root)/.new")
                let date = try FileManager.default.attributesOfItem(atPath: "\(root)/a.py")[.modificationDate]
                try FileManager.default.setAttributes([.modificationDate: date ?? Date()], ofItemAtPath: "\(root)/.new")
                #expect(rename("\(root)/.new", "\(root)/a.py") == 0)
            }
            #expect(changed == ["a.py"])
        }
    }

    @Test func `sees files that come and go`() throws {
        try self.withProject { root in
            let changed = try Self.changes(root) {
                try Self.write("1", to: "\(root)/b.py")
                try FileManager.default.removeItem(atPath: "\(root)/a.py")
            }
            #expect(changed == ["a.py", "b.py"])
        }
    }

    @Test func `does not see what is not deployed, unless it is asked to`() throws {
        try self.withProject { root in
            let file = "\(root)/data/x"
            let unseen = try Self.changes(root) { try Self.write("longer", to: file) }
            #expect(unseen.isEmpty)
            let changed = try Self.changes(root, besides: ["data/x"]) { try Self.write("longest", to: file) }
            #expect(changed == ["data/x"])
        }
    }

    @Test func `sees a change of what is ignored, and what comes in with it`() throws {
        try self.withProject { root in
            let changed = try Self.changes(root) { try Self.write("other/", to: "\(root)/.cortexignore") }
            #expect(changed == [".cortexignore", "data/x"])
        }
    }

    @Test func `tells why a folder cannot be packed`() throws {
        try self.withProject { root in
            #expect(ProjectSnapshot(of: root, configFile: "cortex.yaml").trouble == nil)
            try FileManager.default.createSymbolicLink(atPath: "\(root)/link", withDestinationPath: "nowhere")
            let trouble = try #require(ProjectSnapshot(of: root, configFile: "cortex.yaml").trouble)
            #expect(trouble.contains("leads nowhere"))
        }
    }
}
