#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Collects the files below a folder.
struct FolderWalk {
    /// Deeper than any honest tree, and few enough for the stack.
    private static let maximumDepth = 100

    private let root: String
    private let limit: Int
    private var folders = 0
    /// In no order.
    private(set) var objects: [StoredObject] = []

    /// - Parameter root: Resolved.
    init(root: String, limit: Int) {
        self.root = root
        self.limit = limit
    }

    mutating func run() throws(StorageError) {
        try self.visit(Folder(location: self.root, path: "", ancestors: []))
    }

    private struct Folder {
        /// Resolved.
        let location: String
        /// Relative to the root; empty, or ends in `/`.
        let path: String
        /// Resolved folders that this one was reached through: a link back to one of them would never end.
        let ancestors: [String]
    }

    private mutating func visit(_ folder: Folder) throws(StorageError) {
        guard !Task.isCancelled else { throw .cancelled }
        guard folder.ancestors.count < Self.maximumDepth else {
            throw .unsupported("\(self.shown(folder.path)) is more than \(Self.maximumDepth) folders deep")
        }
        guard !folder.ancestors.contains(folder.location) else {
            throw .unsupported("the link \(self.shown(folder.path)) leads back to a folder that it lies in")
        }
        // Folders count too, since links may show the same few files in very many of them.
        self.folders += 1
        try self.checkBound(self.folders)
        for name in try self.names(in: folder) where !StoredObject.isHidden(name) {
            try self.visit(name, in: folder)
        }
    }

    private mutating func visit(_ name: String, in folder: Folder) throws(StorageError) {
        var location = LocalPath.join(folder.location, name)
        let path = folder.path + name
        var status = stat()
        guard lstat(location, &status) == 0 else {
            // Gone since its folder was read: as if it had never been there.
            if errno == ENOENT { return }
            throw .system("read", self.shown(path))
        }
        if status.kind == S_IFLNK {
            location = try self.follow(location, path)
            guard stat(location, &status) == 0 else { throw .system("read", self.shown(path)) }
        }
        switch status.kind {
        case S_IFDIR:
            let ancestors = folder.ancestors + [folder.location]
            try self.visit(Folder(location: location, path: "\(path)/", ancestors: ancestors))
        case S_IFREG:
            self.objects.append(
                try StoredObject(path: path, size: Int64(status.st_size), modified: status.modified, tag: status.tag)
            )
            try self.checkBound(self.objects.count)
        default:
            throw .unsupported("\(self.shown(path)) is not a file: remove the device, pipe or socket")
        }
    }

    /// Where a link leads, if that is in the root.
    private func follow(_ location: String, _ path: String) throws(StorageError) -> String {
        guard let target = LocalPath.resolve(location) else {
            if errno == ENOENT { throw .unsupported("the link \(self.shown(path)) leads to nothing; remove it") }
            throw .system("follow the link", self.shown(path))
        }
        guard LocalPath.isInside(target, self.root) else {
            throw .unsupported(
                "the link \(self.shown(path)) leads out of the folder, to \(target.escaped); copy the file instead"
            )
        }
        return target
    }

    private func names(in folder: Folder) throws(StorageError) -> [String] {
        guard let stream = opendir(folder.location) else { throw .system("read", self.shown(folder.path)) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system("read", self.shown(folder.path)) }
                // In one order everywhere, so that of several errors the same is told.
                return names.sorted()
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                // What is hidden is left out, so that it may have any name.
                if bytes.first == UInt8(ascii: ".") { continue }
                let repaired = folder.path + String(decoding: bytes, as: UTF8.self)
                throw .unsupported("the name \(self.shown(repaired)) is not UTF-8; rename it")
            }
            names.append(name)
        }
    }

    private func checkBound(_ count: Int) throws(StorageError) {
        guard count > self.limit else { return }
        throw .tooMany("\(self.root.escaped) holds more than \(self.limit) files or folders")
    }

    private func shown(_ path: String) -> String { LocalPath.join(self.root, path).escaped }
}
