import CortexControlPlane
import Foundation

/// The home of one project's development server: below the user's own, so that environments are shared and nothing else.
///
/// Logs and downloaded models stay between two sessions; what was deployed does not.
struct DevHome {
    /// The user's home.
    let shared: CortexHome
    /// This project's.
    let home: CortexHome
    /// The config file's path, links resolved.
    let config: String

    init(shared: CortexHome, config: String) {
        self.shared = shared
        self.config = URL(filePath: config).resolvingSymlinksInPath().path(percentEncoded: false)
        let folder = URL(filePath: self.config).deletingLastPathComponent().lastPathComponent
        let word = folder.unicodeScalars.prefix(20).map { scalar in
            scalar.isASCII && scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) ? String(scalar) : "-"
        }
        self.home = CortexHome(path: "\(shared.path)/dev/\(word.joined())-\(Self.fingerprint(self.config))")
    }

    /// Makes it ready, and its process the one that serves this project.
    ///
    /// - Throws: In words, with where it serves, if another process does already.
    func open() throws -> HomeLock {
        try self.shared.prepare()
        try self.home.prepare()
        let lock: HomeLock
        do {
            lock = try HomeLock(home: self.home)
        } catch HomeLockError.held(_, let pid) {
            let record = ServerRecord.read(in: self.home).flatMap { $0.isAlive ? $0 : nil }
            let place = record.map { ": http://localhost:\($0.port)" } ?? ""
            throw CommandFailure(
                "cortex dev serves \(self.config) already\(pid.map { " (pid \($0))" } ?? "")\(place)",
                hint: "use that one, or end it with Ctrl-C where it runs"
            )
        }
        try Data(self.config.utf8).write(to: URL(filePath: "\(self.home.path)/config"))
        self.clear()
        self.removeForgotten()
        return lock
    }

    /// Takes away what was deployed, and the record of the server; call while the lock is held.
    func clear() {
        ServerRecord.remove(in: self.home)
        for folder in [self.home.state, self.home.projects, self.home.versions, self.home.spool] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
        }
    }

    /// Takes away the homes of projects that are no more.
    private func removeForgotten() {
        let parent = "\(self.shared.path)/dev"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
            let home = CortexHome(path: "\(parent)/\(name)")
            guard
                home != self.home,
                let config = try? String(contentsOfFile: "\(home.path)/config", encoding: .utf8),
                !FileManager.default.fileExists(atPath: config),
                let lock = try? HomeLock(home: home)
            else { continue }
            try? FileManager.default.removeItem(atPath: home.path)
            lock.release()
        }
    }

    /// FNV-1a, which guards against nothing: it tells projects of one name apart.
    private static func fingerprint(_ text: String) -> String {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
