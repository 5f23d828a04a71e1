#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
package import CortexSpec

extension ModelLocation {
    /// The place that a user's text names.
    ///
    /// - Parameters:
    ///   - folders: Where a relative path is looked for: the first of them in which it is there wins, else the first.
    ///   - home: What `~` stands for.
    ///   - options: See ``RemoteLocation/options``; without effect on paths.
    package init(
        _ text: String,
        folders: [String],
        home: String?,
        options: [String: String] = [:]
    ) throws(ModelAddress.Flaw) {
        switch try ModelAddress.parse(text) {
        case .url(let url):
            self = .remote(RemoteLocation(url: url, options: options))
        case .path(let path) where path == "~" || path.hasPrefix("~/"):
            guard let home, home.hasPrefix("/") else {
                throw ModelAddress.Flaw(message: "\(text.escaped): there is no HOME", allowed: "write the whole path")
            }
            self = .folder(Self.tidy(home + path.dropFirst()))
        case .path(let path) where path.hasPrefix("/"):
            self = .folder(Self.tidy(path))
        case .path(let path):
            let candidates = folders.map { Self.tidy("\($0)/\(path)") }
            guard let first = candidates.first else {
                throw ModelAddress.Flaw(
                    message: "\(text.escaped) is relative, and the project's folder is not known here",
                    allowed: "write an absolute path, or a URL"
                )
            }
            self = .folder(candidates.first { access($0, F_OK) == 0 } ?? first)
        }
    }

    /// Without `//`, `/./` and a trailing `/`; `..` is left to the file system, since the name before it may be a link.
    private static func tidy(_ path: String) -> String {
        "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}
