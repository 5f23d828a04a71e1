import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder that everything of one server lives under: `CORTEX_HOME`, by default `~/.cortex`.
///
/// Two servers with two homes share nothing. The file `layout` holds the version of this layout, so that a server
/// never works on files whose meaning a newer one has changed.
package struct CortexHome: Hashable, Sendable {
    /// The version of the layout that this program writes.
    package static let layoutVersion = 1

    /// Absolute, without a trailing slash.
    package let path: String

    /// - Parameter path: Absolute; a trailing slash is dropped.
    package init(path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The home that an environment names: `CORTEX_HOME`, else `.cortex` in `HOME`.
    ///
    /// A relative `CORTEX_HOME` is taken from the working folder, `~/` from `HOME`.
    package init(environment: [String: String], workingFolder: String = FileManager.default.currentDirectoryPath) throws
    {
        let userHome = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        guard let named = environment["CORTEX_HOME"], !named.isEmpty else {
            guard let userHome else { throw CortexHomeError.nowhere }
            self.init(path: "\(userHome)/.cortex")
            return
        }
        if named == "~" || named.hasPrefix("~/") {
            guard let userHome else { throw CortexHomeError.nowhere }
            self.init(path: userHome + named.dropFirst())
        } else if named.hasPrefix("/") {
            self.init(path: named)
        } else {
            self.init(path: URL(filePath: "\(workingFolder)/\(named)").standardizedFileURL.path(percentEncoded: false))
        }
    }

    /// The database of the control plane.
    package var state: String { "\(self.path)/state" }
    /// Projects as uploaded, by content hash.
    package var projects: String { "\(self.path)/projects" }
    /// Python environments, by content key.
    package var environments: String { "\(self.path)/environments" }
    /// Model trees that were downloaded.
    package var models: String { "\(self.path)/models" }
    /// The server's own log and those of APIs and of environment builds.
    package var logs: String { "\(self.path)/logs" }
    /// Secrets of this machine's command line.
    package var tokens: String { "\(self.path)/tokens" }
    /// What lives only as long as a server: its record, its lock, its sockets.
    package var run: String { "\(self.path)/run" }
    /// Bodies too large for a frame.
    package var spool: String { "\(self.path)/spool" }
    /// Programs that Cortex fetched for itself, such as `uv`.
    package var tools: String { "\(self.path)/tools" }
    /// Unpacked projects that deployed versions run from.
    package var versions: String { "\(self.path)/versions" }

    /// The server's log, which is also what a server started in the background writes to.
    package var serverLog: String { "\(self.logs)/server.log" }

    private var folders: [String] {
        [
            self.path, self.state, self.projects, self.environments, self.models, self.logs, self.tokens, self.run,
            self.spool, self.tools, self.versions,
        ]
    }

    /// Makes the folders that are missing, readable by their owner only, and claims the layout.
    ///
    /// May be called any number of times. Throws ``CortexHomeError`` where a newer layout is found or a folder cannot
    /// be made.
    package func prepare() throws {
        if let found = try self.foundLayout(), found > Self.layoutVersion {
            throw CortexHomeError.newerLayout(path: self.path, found: found, known: Self.layoutVersion)
        }
        for folder in self.folders {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch {
                throw CortexHomeError.cannotCreate(folder: folder, reason: Self.reason(error, folder))
            }
        }
        if try self.foundLayout() == nil {
            try Data("\(Self.layoutVersion)\n".utf8).write(to: URL(filePath: self.layoutFile), options: .atomic)
        }
    }

    /// Why a folder could not be made.
    ///
    /// Foundation's own words do not tell of a file where a folder is needed.
    private static func reason(_ error: any Error, _ folder: String) -> String {
        var found = folder
        while found.count > 1, !FileManager.default.fileExists(atPath: found) {
            found = NSString(string: found).deletingLastPathComponent
        }
        var isFolder = ObjCBool(true)
        if FileManager.default.fileExists(atPath: found, isDirectory: &isFolder), !isFolder.boolValue {
            return found == folder ? "it is a file" : "\(found) is a file"
        }
        switch (error as? CocoaError)?.underlying {
        case let cause as POSIXError: return String(cString: strerror(cause.code.rawValue))
        case let cause?: return cause.localizedDescription
        case nil: return error.localizedDescription
        }
    }

    private var layoutFile: String { "\(self.path)/layout" }

    /// Nil where the home has never been used.
    private func foundLayout() throws -> Int? {
        guard FileManager.default.fileExists(atPath: self.layoutFile) else { return nil }
        let text = try String(contentsOfFile: self.layoutFile, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard let version = Int(text) else { throw CortexHomeError.unreadableLayout(file: self.layoutFile, text: text) }
        return version
    }
}

/// Why a folder cannot be a Cortex home.
package enum CortexHomeError: Error, Equatable, CustomStringConvertible {
    case nowhere
    case newerLayout(path: String, found: Int, known: Int)
    case unreadableLayout(file: String, text: String)
    case cannotCreate(folder: String, reason: String)

    package var description: String {
        switch self {
        case .nowhere:
            "neither CORTEX_HOME nor HOME is set; set CORTEX_HOME to the folder that Cortex may keep its files in"
        case .newerLayout(let path, let found, let known):
            "\(path) has layout \(found), and this version of cortex knows layouts up to \(known); "
                + "use the newer cortex, or set CORTEX_HOME to another folder"
        case .unreadableLayout(let file, let text):
            "\(file) holds \"\(text.prefix(40))\", which is not a layout version; "
                + "is CORTEX_HOME the folder that you meant?"
        case .cannotCreate(let folder, let reason):
            "cannot create \(folder): \(reason); set CORTEX_HOME to a folder that you may write to"
        }
    }
}
