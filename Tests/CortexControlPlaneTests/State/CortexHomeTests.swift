import CortexControlPlane
import Foundation
import Testing

@Suite struct CortexHomeTests {
    @Test(arguments: [
        (["HOME": "/home/ada"], "/home/ada/.cortex"),
        (["HOME": "/home/ada", "CORTEX_HOME": ""], "/home/ada/.cortex"),
        (["HOME": "/home/ada", "CORTEX_HOME": "/srv/cortex/"], "/srv/cortex"),
        (["HOME": "/home/ada", "CORTEX_HOME": "~/other"], "/home/ada/other"),
        (["CORTEX_HOME": "state/one"], "/folder/state/one"),
        (["CORTEX_HOME": "../one"], "/one"),
    ])
    func `the environment names the home`(environment: [String: String], expected: String) throws {
        #expect(try CortexHome(environment: environment, workingFolder: "/folder").path == expected)
    }

    @Test func `without a home there is no guess`() {
        #expect(throws: CortexHomeError.nowhere) { try CortexHome(environment: [:]) }
    }

    @Test func `folders are private, and preparing again changes nothing`() throws {
        let home = try TemporaryHome().home
        try home.prepare()
        try home.prepare()
        for folder in [home.path, home.state, home.projects, home.tokens, home.run, home.spool] {
            let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions]
            #expect(mode as? Int == 0o700, "\(folder)")
        }
        try FileManager.default.removeItem(atPath: home.path)
    }

    @Test(arguments: [("", "it is a file"), ("/below/it", "PATH is a file")])
    func `a file where the folder is to be is called a file`(below: String, reason: String) throws {
        let folder = try TemporaryHome()
        let file = "\(folder.home.path)/file"
        try Data().write(to: URL(filePath: file))
        let expected = CortexHomeError.cannotCreate(
            folder: file + below,
            reason: reason.replacingOccurrences(of: "PATH", with: file)
        )
        #expect(throws: expected) { try CortexHome(path: file + below).prepare() }
        withExtendedLifetime(folder) {}
    }

    @Test(arguments: ["2", "99\n"])
    func `a newer layout is refused`(layout: String) throws {
        let folder = try TemporaryHome()
        let home = folder.home
        try Data(layout.utf8).write(to: URL(filePath: "\(home.path)/layout"))
        #expect(throws: CortexHomeError.self) { try home.prepare() }
        withExtendedLifetime(folder) {}
    }

    @Test func `a folder of something else is refused`() throws {
        let folder = try TemporaryHome()
        let home = folder.home
        try Data("hello".utf8).write(to: URL(filePath: "\(home.path)/layout"))
        #expect(throws: CortexHomeError.unreadableLayout(file: "\(home.path)/layout", text: "hello")) {
            try home.prepare()
        }
    }

    @Test func `one holder at a time has the lock, and is named`() throws {
        let folder = try TemporaryHome()
        let lock = try HomeLock(home: folder.home)
        #expect(throws: HomeLockError.held(home: folder.home.path, pid: getpid())) {
            _ = try HomeLock(home: folder.home)
        }
        lock.release()
        let again = try HomeLock(home: folder.home)
        again.release()
    }

    @Test func `a record tells a live server from a dead one and from another process`() throws {
        let folder = try TemporaryHome()
        let home = folder.home
        var record = ServerRecord(home: home, version: "1", host: "127.0.0.1", port: 1, operatorPort: 2)
        try record.write(in: home)
        let read = try #require(ServerRecord.read(in: home))
        #expect(read.isAlive)
        #expect(read.operatorPort == 2)
        // Another process that has come to the same pid.
        record.processStart = ProcessStart(pid: 1)
        #expect(!record.isAlive)
        record.pid = 0x7FFF_FFF0
        #expect(!record.isAlive)
        ServerRecord.remove(in: home)
        #expect(ServerRecord.read(in: home) == nil)
    }
}
