import CortexControlPlane
import Foundation
import Testing

@testable import CortexCommands

@Suite struct DevHomeTests {
    /// Runs `body` with a user's home and a folder for projects.
    private func withFolders(_ body: (CortexHome, String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dev-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path(percentEncoded: false)
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
            try Data("[]".utf8).write(to: URL(filePath: "\(path)/\(name)/cortex.yaml"))
        }
        try body(CortexHome(path: "\(path)/home"), path)
    }

    @Test func `each config file has a home of its own, whatever its path is called`() throws {
        try self.withFolders { shared, path in
            try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "\(path)/a")
            let homes = ["a", "b", "link"].map { DevHome(shared: shared, config: "\(path)/\($0)/cortex.yaml").home }
            #expect(homes[0] != homes[1] && homes[0] == homes[2])
            #expect(homes[0].path.hasPrefix("\(shared.path)/dev/a-"))
        }
    }

    @Test func `one process serves a project`() throws {
        try self.withFolders { shared, path in
            let home = DevHome(shared: shared, config: "\(path)/a/cortex.yaml")
            let lock = try home.open()
            let error = #expect(throws: CommandFailure.self) { _ = try home.open() }
            #expect(error?.message.contains("serves") == true && error?.message.contains("(pid \(getpid()))") == true)
            lock.release()
            try home.open().release()
        }
    }

    @Test func `what was deployed does not stay, and logs do`() throws {
        try self.withFolders { shared, path in
            let home = DevHome(shared: shared, config: "\(path)/a/cortex.yaml")
            try home.open().release()
            for folder in [home.home.state, home.home.projects, home.home.logs] {
                try Data().write(to: URL(filePath: "\(folder)/x"))
            }
            try home.open().release()
            #expect(!FileManager.default.fileExists(atPath: "\(home.home.state)/x"))
            #expect(!FileManager.default.fileExists(atPath: "\(home.home.projects)/x"))
            #expect(FileManager.default.fileExists(atPath: "\(home.home.logs)/x"))
        }
    }

    @Test func `homes of projects that are no more go, unless they are in use`() throws {
        try self.withFolders { shared, path in
            let homes = ["a", "b"].map { DevHome(shared: shared, config: "\(path)/\($0)/cortex.yaml") }
            let lock = try homes[0].open()
            try FileManager.default.removeItem(atPath: "\(path)/a")
            try homes[1].open().release()
            #expect(FileManager.default.fileExists(atPath: homes[0].home.path))
            lock.release()
            try homes[1].open().release()
            #expect(!FileManager.default.fileExists(atPath: homes[0].home.path))
        }
    }
}
