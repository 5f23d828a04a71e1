import CortexSpec

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Packages that workers were found to miss, beyond what their projects' sources say: a pickled model names some.
///
/// Kept by API and by the environment that it has without them, so that the next deploy begins with them, and a project that
/// asks for other things begins anew. They are written down once they have been installed: what cannot be had must not
/// stand in the way of the next start.
struct PackageAdditions: Sendable {
    /// `CORTEX_HOME/environments/additions`.
    let folder: String

    private struct Place: Hashable, Sendable {
        var api: APIName
        var base: EnvironmentKey
    }

    /// Those that are being tried.
    private var tried: [Place: Set<String>] = [:]

    init(folder: String) {
        self.folder = folder
    }

    /// The names of the packages, sorted.
    func packages(for api: APIName, base: EnvironmentKey) -> [String] {
        let tried = self.tried[Place(api: api, base: base)] ?? []
        return tried.union(self.kept(for: api, base: base)).sorted()
    }

    mutating func add(_ package: String, for api: APIName, base: EnvironmentKey) {
        self.tried[Place(api: api, base: base), default: []].insert(package)
    }

    /// The environment with all of them is there.
    mutating func succeeded(for api: APIName, base: EnvironmentKey) {
        let place = Place(api: api, base: base)
        guard self.tried[place] != nil else { return }
        let text = self.packages(for: api, base: base).map { "\($0)\n" }.joined()
        let file = self.file(for: api, base: base)
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            // A full disk: as long as this server runs they are known all the same.
            return
        }
        self.tried[place] = nil
    }

    /// They could not be installed.
    mutating func failed(for api: APIName, base: EnvironmentKey) {
        self.tried[Place(api: api, base: base)] = nil
    }

    private func kept(for api: APIName, base: EnvironmentKey) -> [String] {
        guard let text = FileManager.default.contents(atPath: self.file(for: api, base: base)) else { return [] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func file(for api: APIName, base: EnvironmentKey) -> String { "\(self.folder)/\(api)/\(base)" }
}
