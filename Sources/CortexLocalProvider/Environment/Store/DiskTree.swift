import CFileStatus
import Foundation

/// Files and folders on disk, with all below them; every call blocks.
enum DiskTree {
    /// The names in a folder, without `.` and `..`; none where it is gone.
    static func names(in path: String) throws(EnvironmentError) -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system("list", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// When a folder or file was last modified; nil where there is none.
    static func modified(_ path: String) -> Date? {
        guard let status = self.status(path) else { return nil }
        return Date(timeIntervalSince1970: Double(status.seconds) + Double(status.nanoseconds) / 1e9)
    }

    /// What a file, or a folder with all below it, takes of the disk; nothing where it is gone.
    static func use(of path: String) throws(EnvironmentError) -> DiskUse {
        var use = DiskUse()
        try self.add(path, to: &use)
        return use
    }

    private static func add(_ path: String, to use: inout DiskUse) throws(EnvironmentError) {
        guard let status = self.status(path) else { return }
        let bytes = status.blocks * 512
        if status.mode & S_IFMT == S_IFDIR {
            use.own += bytes
            for name in try self.names(in: path) { try self.add("\(path)/\(name)", to: &use) }
        } else if status.links > 1 {
            use.linked.append(DiskUse.LinkedFile(id: status.inode, links: Int(status.links), bytes: bytes))
        } else {
            use.own += bytes
        }
    }

    /// Removes a file, or a folder with all below it, read-only or not; what is gone already is no error.
    static func remove(_ path: String) throws(EnvironmentError) {
        guard let status = self.status(path) else { return }
        guard status.mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
            return
        }
        // Names can be taken out only of a folder that may be written.
        if status.mode & S_IRWXU != S_IRWXU { chmod(path, S_IRWXU) }
        for name in try self.names(in: path) { try self.remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
    }

    private static func status(_ path: String) -> FileStatus? {
        var status = FileStatus()
        return cortex_lstat(path, &status) == 0 ? status : nil
    }
}
