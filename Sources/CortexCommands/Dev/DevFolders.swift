import Foundation

/// The folders that workers run in, as the user knows them.
struct DevFolders: Sendable {
    /// Below it, `<api>/<deployment>/project` is a copy of the project.
    let versions: String
    /// The project as seen from the working folder; empty where it is that.
    let project: String

    /// - Parameter config: The config file's path, as the user named it.
    init(versions: String, config: String) {
        self.versions = versions
        let folder = config.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        self.project = folder == "." ? "" : folder.hasPrefix("./") ? String(folder.dropFirst(2)) : folder
    }

    /// A path of the project, from the working folder.
    func path(of path: String) -> String { self.project.isEmpty ? path : "\(self.project)/\(path)" }

    /// The text with each path into a copy as the path of the user's own file.
    func shown(_ text: String) -> String {
        guard text.contains(self.versions) else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.range(of: "\(self.versions)/") {
            result += rest[..<start.lowerBound]
            let parts = rest[start.upperBound...].split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[2] == "project" else {
                result += rest[start]
                rest = rest[start.upperBound...]
                continue
            }
            result += self.path(of: "")
            rest = rest[parts[3].startIndex...]
        }
        return result + rest
    }
}
