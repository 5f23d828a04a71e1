import CFileStatus

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lists the files of a project: what lies beside its config file, less what is excluded.
///
/// Excluded: the config file itself, names that begin with `.` or `cortex-debug-`, `__pycache__`, Python bytecode, and what
/// `.cortexignore` says. `.env` and `.python-version` at the root are a part of every project. Links to files are followed within the project.
package struct ProjectPacker: Sendable {
    private let root: String
    private let configFile: String
    private let home: String?
    private let limits: ProjectLimits
    private let isIgnored: @Sendable (_ path: String, _ isFolder: Bool) -> Bool

    /// - Parameters:
    ///   - root: The folder that holds the config file.
    ///   - configFile: The config file's path relative to `root`.
    ///   - home: The user's home folder, which is refused as a project.
    ///   - isIgnored: Whether `.cortexignore` excludes a path relative to `root`; a folder's content goes with it.
    package init(
        root: String,
        configFile: String,
        home: String?,
        limits: ProjectLimits = .standard,
        isIgnored: @escaping @Sendable (_ path: String, _ isFolder: Bool) -> Bool = { _, _ in false }
    ) {
        self.root = root
        self.configFile = configFile
        self.home = home
        self.limits = limits
        self.isIgnored = isIgnored
    }

    /// The files, in the order of their paths' bytes.
    package func files() throws(ProjectError) -> [ProjectFile] {
        let root = try self.resolvedRoot()
        var walk = Walk(root: root)
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try Self.names(in: walk.location(of: folder), shown: folder) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if try self.visit(path, name: name, walk: &walk) { folders.append(path) }
            }
        }
        return walk.files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// What has been found so far.
    private struct Walk {
        let root: String
        var files: [ProjectFile] = []
        var paths: Set<String> = []
        var totalBytes: Int64 = 0

        func location(of path: String) -> String {
            path.isEmpty ? self.root : self.root == "/" ? "/\(path)" : "\(self.root)/\(path)"
        }
    }

    private func resolvedRoot() throws(ProjectError) -> String {
        guard let root = Self.resolve(self.root) else { throw .system("open", self.root) }
        let isHome = self.home.map { Self.resolve($0) == root } ?? false
        guard root != "/", !isHome else { throw .refusedFolder(root) }
        return root
    }

    /// Notes a file; returns true for a folder to walk through.
    private func visit(_ path: String, name: String, walk: inout Walk) throws(ProjectError) -> Bool {
        guard path != self.configFile else { return false }
        let isEnvironmentFile = path == ".env" || path == ".python-version"
        guard isEnvironmentFile || !Self.isExcluded(name) else { return false }
        let location = walk.location(of: path)
        var status = FileStatus()
        guard cortex_lstat(location, &status) == 0 else {
            // Gone since its folder was read: as if it had never been there.
            if errno == ENOENT { return false }
            throw .system("read", path)
        }
        let isFolder = status.kind == S_IFDIR
        // A folder `.env` is some people's virtual environment.
        if isEnvironmentFile, isFolder { return false }
        guard isEnvironmentFile || !self.isIgnored(path, isFolder) else { return false }
        if isFolder { return true }
        var target = location
        if status.kind == S_IFLNK {
            target = try self.follow(path, location: location, root: walk.root, status: &status)
        }
        guard status.kind == S_IFREG else { throw .notAFile(path: path) }
        try self.add(path, location: target, status: status, to: &walk)
        return false
    }

    private func add(_ path: String, location: String, status: FileStatus, to walk: inout Walk) throws(ProjectError) {
        let size = status.size
        guard size <= self.limits.fileBytes else {
            throw .fileTooLarge(path: path, size: size, limit: self.limits.fileBytes)
        }
        walk.totalBytes += size
        guard walk.totalBytes <= self.limits.totalBytes else {
            throw .projectTooLarge(path: path, limit: self.limits.totalBytes)
        }
        // Swift holds canonically equivalent strings to be equal, as the Mac's file system does.
        guard walk.paths.insert(path).inserted else { throw .ambiguousName(path: path) }
        guard walk.files.count < self.limits.files else { throw .tooManyFiles(limit: self.limits.files) }
        let isExecutable = status.mode & S_IXUSR != 0
        walk.files.append(ProjectFile(path: path, location: location, size: size, isExecutable: isExecutable))
    }

    /// Where a link leads, if that is a file of the project's folder (excluded ones too, as data tools keep them there).
    private func follow(
        _ path: String,
        location: String,
        root: String,
        status: inout FileStatus
    ) throws(ProjectError) -> String {
        guard let target = Self.resolve(location), cortex_lstat(target, &status) == 0 else {
            throw .brokenLink(path: path)
        }
        guard target.hasPrefix(root + "/") else { throw .linkLeavesProject(path: path, target: target) }
        guard status.kind != S_IFDIR else { throw .linkedFolder(path: path, target: target) }
        return target
    }

    /// The exclusions that `.cortexignore` cannot take back.
    private static func isExcluded(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasPrefix("cortex-debug-") || name == "__pycache__"
            || name.hasSuffix(".pyc") || name.hasSuffix(".pyo") || name.hasSuffix(".pyd")
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    private static func names(in location: String, shown: String) throws(ProjectError) -> [String] {
        guard let folder = opendir(location) else { throw .system("read", shown.isEmpty ? location : shown) }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                guard errno == 0 else { throw .system("read", shown.isEmpty ? location : shown) }
                // In one order everywhere, so that of several errors the same is told.
                return names.sorted()
            }
            let name = try withUnsafeBytes(of: &entry.pointee.d_name) { bytes throws(ProjectError) in
                let name = bytes.prefix { $0 != 0 }
                if let text = String(validating: name, as: UTF8.self) { return text }
                // What is hidden is excluded, so that it may have any name.
                if name.first == UInt8(ascii: ".") { return "." }
                let repaired = String(decoding: name, as: UTF8.self)
                throw .unreadableName(path: shown.isEmpty ? repaired : "\(shown)/\(repaired)")
            }
            if name == "." || name == ".." { continue }
            names.append(name)
        }
    }
}

extension FileStatus {
    fileprivate var kind: mode_t { self.mode & S_IFMT }
}
