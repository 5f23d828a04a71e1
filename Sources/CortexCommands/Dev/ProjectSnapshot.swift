import CFileStatus
import CortexControlPlane
import Foundation

/// What a project's files looked like at one moment, told without reading them.
struct ProjectSnapshot: Hashable, Sendable {
    /// One file's looks: a save changes at least one of them, whether an editor writes in place or renames.
    struct Stamp: Hashable, Sendable {
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
        var inode: UInt64
        var mode: UInt32
    }

    /// By path relative to the project.
    var stamps: [String: Stamp] = [:]
    /// Why the folder cannot be packed; nil where it can.
    var trouble: String?

    /// The paths that differ, in order; files that came and went among them.
    func changes(to later: ProjectSnapshot) -> [String] {
        let paths = Set(self.stamps.keys).union(later.stamps.keys)
        return paths.filter { self.stamps[$0] != later.stamps[$0] }.sorted()
    }
}

extension ProjectSnapshot {
    /// Looks at a project: what a deploy would send, the config file, `.cortexignore`, and samples that are not sent.
    ///
    /// - Parameters:
    ///   - root: The folder of the config file.
    ///   - configFile: Its name.
    ///   - besides: Paths below `root` that count although they may not be packed.
    init(of root: String, configFile: String, besides: some Sequence<String> = []) {
        var trouble: [String] = []
        var files: [ProjectFile] = []
        do throws(ProjectError) {
            files = try LocalProject.pack(
                root,
                configFile: configFile,
                home: ProcessInfo.processInfo.environment["HOME"],
                problems: &trouble
            )
        } catch {
            trouble.append(error.description)
        }
        self.trouble = trouble.isEmpty ? nil : trouble.joined(separator: "\n")
        for file in files { self.stamps[file.path] = Stamp(of: file.location) }
        for path in [configFile, ".cortexignore"] + Array(besides) where self.stamps[path] == nil {
            self.stamps[path] = Stamp(of: "\(root)/\(path)")
        }
    }
}

extension ProjectSnapshot.Stamp {
    /// Nil where there is no such file.
    init?(of path: String) {
        var status = FileStatus()
        guard cortex_stat(path, &status) == 0 else { return nil }
        self.init(
            size: status.size,
            seconds: Int(status.seconds),
            nanoseconds: Int(status.nanoseconds),
            inode: status.inode,
            mode: UInt32(status.mode)
        )
    }
}
