import Foundation

/// A copy of a project for what is run or installed in place, kept with the environment.
///
/// A version's own folder goes with the version, and an environment outlives it; and what a build leaves in a folder is not
/// to be found there by a predictor, but what `dependencies.sh` makes is.
struct ProjectCopy: Sendable {
    let folder: String
    private let list: String

    /// - Parameter build: The folder of the environment's build.
    init(build: String) {
        self.folder = "\(build)/project"
        self.list = "\(build)/made-files"
    }

    func make(of project: String) throws {
        try FileManager.default.copyItem(atPath: project, toPath: self.folder)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    /// Runs `body`, and notes which files it made or changed.
    func notingFiles(_ body: () async throws -> Void) async throws {
        let before = self.files()
        try await body()
        let made = self.files().filter { before[$0.key] != $0.value }.keys.sorted()
        guard !made.isEmpty else { return }
        // A name may hold any character but this one.
        try Data(made.joined(separator: "\0").utf8).write(to: URL(fileURLWithPath: self.list))
    }

    /// Puts the files that were noted into another folder of the same project.
    func addMadeFiles(to project: String) throws {
        guard let list = FileManager.default.contents(atPath: self.list) else { return }
        for path in String(decoding: list, as: UTF8.self).split(separator: "\0") {
            let target = "\(project)/\(path)"
            let parent = (target as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try? FileManager.default.removeItem(atPath: target)
            try FileManager.default.copyItem(atPath: "\(self.folder)/\(path)", toPath: target)
        }
    }

    private func files() -> [String: FileIdentity?] {
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: self.folder)) ?? []
        let files = paths.filter { path in
            let kind = try? FileManager.default.attributesOfItem(atPath: "\(self.folder)/\(path)")[.type]
            return kind as? FileAttributeType != .typeDirectory
        }
        return Dictionary(files.map { ($0, FileIdentity(of: "\(self.folder)/\($0)")) }) { first, _ in first }
    }
}
