internal import CFileStatus

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Collects the files below a folder, and what is there and can be none.
struct FolderWalk {
    /// Deeper than any honest tree, and few enough for the stack.
    private static let maximumDepth = 100

    private let root: String
    private let limit: Int
    private var folders = 0
    private var flaws = 0
    /// In no order.
    private(set) var objects: [StoredObject] = []

    /// - Parameter root: Resolved.
    init(root: String, limit: Int) {
        self.root = root
        self.limit = limit
    }

    /// - Throws: Where the root itself cannot be read, holds too much, or the system has no more to give.
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

    private struct Name {
        /// Escaped where it has a flaw.
        let text: String
        let flaw: String?
    }

    private enum Entry {
        case file(size: Int64, modified: Int64, tag: String)
        case folder(Folder)
    }

    /// What a look at a place brings.
    private enum Finding<Value> {
        case found(Value)
        /// Gone since its folder was read: as if it had never been there.
        case gone
        /// It cannot be served; a sentence that names it.
        case flaw(String)
    }

    private mutating func visit(_ folder: Folder) throws(StorageError) {
        guard !Task.isCancelled else { throw .cancelled }
        // Folders count too, since links may show the same few files in very many of them.
        self.folders += 1
        try self.checkBound(self.folders)
        switch try self.names(in: folder) {
        case .found(let names): for name in names { try self.visit(name, in: folder) }
        case .gone: break
        case .flaw(let text): try self.add(flaw: text, at: String(folder.path.dropLast()))
        }
    }

    private mutating func visit(_ name: Name, in folder: Folder) throws(StorageError) {
        let path = folder.path + name.text
        if let flaw = name.flaw {
            return try self.add(flaw: "\(self.shown(path)) cannot be a file: \(flaw); rename or remove it", at: path)
        }
        switch try self.look(at: LocalPath.join(folder.location, name.text), path, in: folder) {
        case .found(.file(let size, let modified, let tag)):
            self.objects.append(try StoredObject(path: path, size: size, modified: modified, tag: tag))
            try self.checkBound(self.objects.count)
        case .found(.folder(let below)): try self.visit(below)
        case .gone: break
        case .flaw(let text): try self.add(flaw: text, at: path)
        }
    }

    private func look(at place: String, _ path: String, in folder: Folder) throws(StorageError) -> Finding<Entry> {
        var location = place
        var status = FileStatus()
        guard cortex_lstat(location, &status) == 0 else { return try self.failure("read", path) }
        if status.kind == S_IFLNK {
            guard let target = LocalPath.resolve(location) else {
                if errno == ENOENT { return .flaw("the link \(self.shown(path)) leads to nothing; remove it") }
                return try self.failure("follow the link", path)
            }
            guard LocalPath.isInside(target, self.root) else {
                let advice = "to \(target.escaped); copy the file instead"
                return .flaw("the link \(self.shown(path)) leads out of the folder, \(advice)")
            }
            location = target
            guard cortex_stat(location, &status) == 0 else { return try self.failure("read", path) }
        }
        switch status.kind {
        case S_IFREG: return .found(.file(size: status.size, modified: status.modified, tag: status.tag))
        case S_IFDIR: break
        default: return .flaw("\(self.shown(path)) is not a file: remove the device, pipe or socket")
        }
        let ancestors = folder.ancestors + [folder.location]
        guard ancestors.count < Self.maximumDepth else {
            return .flaw("\(self.shown(path)) is more than \(Self.maximumDepth) folders deep")
        }
        guard !ancestors.contains(location) else {
            return .flaw("the link \(self.shown(path)) leads back to a folder that it lies in")
        }
        return .found(.folder(Folder(location: location, path: "\(path)/", ancestors: ancestors)))
    }

    /// The names in a folder but for hidden ones.
    private func names(in folder: Folder) throws(StorageError) -> Finding<[Name]> {
        guard let stream = opendir(folder.location) else { return try self.failure("read", folder.path) }
        defer { closedir(stream) }
        // Else each of its files would be found to be unreadable.
        guard access(folder.location, X_OK) == 0 else { return try self.failure("read", folder.path) }
        var names: [Name] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { return try self.failure("read", folder.path) }
                // In one order everywhere, so that of several errors the same is told.
                return .found(names.sorted { $0.text < $1.text })
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            // What is hidden is left out, so that it may have any name.
            guard let name = String(validating: bytes, as: UTF8.self) else {
                if bytes.first == UInt8(ascii: ".") { continue }
                names.append(Name(text: StoredObject.escaping(bytes), flaw: "its name is not UTF-8"))
                continue
            }
            if StoredObject.isHidden(name) { continue }
            let flaw = StoredObject.flaw(of: name)
            names.append(Name(text: flaw == nil ? name : StoredObject.escaping(bytes), flaw: flaw))
        }
    }

    /// What the call of the system that has just failed says about the place.
    ///
    /// - Throws: Where it says nothing about it, since too much is open or the disk fails; and for the root.
    private func failure<Value>(_ verb: String, _ path: String) throws(StorageError) -> Finding<Value> {
        let error = StorageError.system(verb, self.shown(path))
        guard !path.isEmpty, !error.isTransient else { throw error }
        if case .notFound = error { return .gone }
        return .flaw("\(error)")
    }

    private mutating func add(flaw: String, at path: String) throws(StorageError) {
        self.flaws += 1
        guard self.flaws <= StoredObject.mostFlaws else {
            throw .tooMany("\(self.root.escaped) holds more than \(StoredObject.mostFlaws) entries like this: \(flaw)")
        }
        self.objects.append(try StoredObject(path: path, flaw: flaw))
        try self.checkBound(self.objects.count)
    }

    private func checkBound(_ count: Int) throws(StorageError) {
        guard count > self.limit else { return }
        throw .tooMany("\(self.root.escaped) holds more than \(self.limit) files or folders")
    }

    private func shown(_ path: String) -> String { LocalPath.join(self.root, path).escaped }
}
