#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes what an archive holds into a folder of its own.
///
/// The folder is made by the unpacker and open to nobody else, and archives hold no links: so no path can lead out of it.
struct ProjectUnpacker {
    private let folder: String
    private var folders: Set<String> = []
    private var current: OpenFile?

    /// - Parameter folder: Is made here; must not be there yet.
    init(into folder: String) throws(ProjectError) {
        self.folder = folder
        guard mkdir(folder, 0o700) == 0 else { throw .system("create", folder) }
    }

    mutating func take(_ event: ArchiveEvent) throws(ProjectError) {
        switch event {
        case .file(let entry):
            self.current = nil
            try self.makeFolders(of: entry.path)
            self.current = try OpenFile(creating: "\(self.folder)/\(entry.path)", executable: entry.isExecutable)
        case .content(let bytes):
            try self.current?.write(bytes)
        }
    }

    /// Makes the folders around `path`, from the outermost inwards.
    private mutating func makeFolders(of path: String) throws(ProjectError) {
        guard let last = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return }
        let parent = String(path[..<last])
        guard !self.folders.contains(parent) else { return }
        try self.makeFolders(of: parent)
        let location = "\(self.folder)/\(parent)"
        guard mkdir(location, 0o755) == 0 else { throw .system("create", location) }
        self.folders.insert(parent)
    }
}
