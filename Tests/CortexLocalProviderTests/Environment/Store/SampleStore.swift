import CortexControlPlane
import Foundation
import Testing

@testable import CortexLocalProvider

/// A store with environments that no tool had to build.
struct SampleStore {
    let home: TemporaryFolder
    let store: EnvironmentStore

    init() throws {
        self.home = try TemporaryFolder()
        for folder in ["environments", "logs/environments", "tools", "versions", "cache"] {
            try FileManager.default.createDirectory(
                atPath: "\(self.home.path)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        self.store = EnvironmentStore(
            folder: "\(self.home.path)/environments",
            logs: "\(self.home.path)/logs/environments"
        )
    }

    /// The key of an environment with one package.
    static func key(_ name: String) -> EnvironmentKey {
        let version = ToolVersion(major: 3, minor: 11, patch: 0)
        return BuildRequest(
            interpreter: PythonInterpreter(path: "/usr/bin/python3", version: version, platform: "linux"),
            projectFolder: "/",
            plan: PackagePlan(requirements: [name]),
            variables: ProcessEnvironment([:])
        ).key
    }

    /// Puts a whole environment in place, and lets go of it.
    /// - Parameters:
    ///   - kibibytes: Of a file of its own.
    ///   - used: How long ago it was used last.
    ///   - links: Files of `cache` that it has under names of its own.
    @discardableResult
    func add(_ name: String, kibibytes: Int = 0, used age: TimeInterval = 0, links: [String] = []) throws -> String {
        let key = Self.key(name)
        let folder = "environments/\(key)"
        try self.home.write("\(folder)/build-1/env/bin/python", "", executable: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.home.path)/\(folder)/whole",
            withDestinationPath: "build-1"
        )
        try self.home.write("\(folder)/own", String(repeating: "x", count: kibibytes << 10))
        for link in links {
            let cached = "\(self.home.path)/cache/\(link)"
            if !FileManager.default.fileExists(atPath: cached) {
                try self.home.write("cache/\(link)", String(repeating: "y", count: 64 << 10))
            }
            try FileManager.default.linkItem(atPath: cached, toPath: "\(self.home.path)/\(folder)/\(link)")
        }
        try self.home.write("logs/environments/\(key).log", "built")
        try self.setAge(folder, age)
        return "\(key)"
    }

    /// Makes a file or folder look as if it was last modified so many seconds ago.
    func setAge(_ path: String, _ age: TimeInterval) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -age)],
            ofItemAtPath: "\(self.home.path)/\(path)"
        )
    }

    var environments: Set<String> {
        get throws { Set(try self.home.names(in: "environments")) }
    }
}
