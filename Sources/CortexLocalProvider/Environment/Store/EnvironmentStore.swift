import CortexControlPlane
import Foundation

/// The environments on disk, `environments/<key>`: who uses them, what they take, and which go.
///
/// Any number of processes may work on one folder: an environment is used while somebody holds a lease on it, is taken
/// away by a rename under a lock that nobody shares, and is deleted in a folder of its own, `.removing-…`.
package final class EnvironmentStore: Sendable {
    let folder: String
    /// `<key>.log` for each build.
    let logs: String
    /// An element after builds, of several only the last; has one consumer.
    let builds: AsyncStream<Void>
    private let build: AsyncStream<Void>.Continuation

    init(folder: String, logs: String) {
        self.folder = folder
        self.logs = logs
        (self.builds, self.build) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func path(of key: EnvironmentKey) -> String { "\(self.folder)/\(key)" }

    /// Where the lines of an environment's last build are.
    func log(of key: String) -> String { "\(self.logs)/\(key).log" }

    /// Keeps an environment that is there; nil where it is not, is on its way out, or has lost its Python.
    func lease(_ key: EnvironmentKey) -> FolderLease? {
        let path = self.path(of: key)
        guard let lease = FolderLease(path), ProcessEnvironment.isExecutable("\(path)/bin/python") else { return nil }
        return lease
    }

    /// Moves a finished environment to its place at once, and keeps it.
    ///
    /// Where another process was faster its result is kept instead, unless that is broken or on its way out.
    /// - Parameter name: Of the environment in `folder`.
    func publish(_ name: String, in folder: BuildFolder, as key: EnvironmentKey) throws -> FolderLease {
        let built = "\(folder.path)/\(name)"
        // Before it can be found, so that it cannot go before we have it.
        guard let lease = FolderLease(built) else { throw EnvironmentError.system("lock", built) }
        var attempt = 0
        while rename(built, self.path(of: key)) != 0 {
            guard errno == ENOTEMPTY || errno == EEXIST, attempt < 10 else {
                throw EnvironmentError.system("create", self.path(of: key))
            }
            if let other = self.lease(key) { return other }
            // Out of the way, and gone with the folder of the build.
            attempt += 1
            _ = rename(self.path(of: key), "\(folder.path)/broken-\(attempt)")
        }
        self.build.yield()
        return lease
    }

    /// What there is, in no order; what is half built or half removed is not.
    func keys() throws -> [String] {
        try DiskTree.names(in: self.folder).filter { ProjectHash($0) != nil }
    }

    /// All environments with what they take of the disk; reads every folder of them.
    func contents(_ uses: EnvironmentUses) throws -> [StoredEnvironment] {
        try self.keys().compactMap { key in
            let path = "\(self.folder)/\(key)"
            guard let used = DiskTree.modified(path) else { return nil }
            let need: StoredEnvironment.Need =
                if FolderLock.isTaken(path) || uses.current.contains(key) {
                    .now
                } else if uses.history.contains(key) {
                    .history
                } else {
                    .none
                }
            return StoredEnvironment(key: key, need: need, lastUsed: used, use: try DiskTree.use(of: path))
        }
    }

    /// Takes an environment away, and its log; false where somebody uses it or it is gone.
    func remove(_ key: String) throws -> Bool {
        guard try Removal.take("\(self.folder)/\(key)", into: self.folder) else { return false }
        try DiskTree.remove(self.log(of: key))
        return true
    }
}

/// An environment as it lies on disk.
struct StoredEnvironment: Sendable {
    /// For what it is needed; what is needed less goes first.
    enum Need: Int, Sendable {
        case none
        /// For an earlier deployment of an API.
        case history
        /// By a worker, or by an API as it is deployed.
        case now
    }

    var key: String
    var need: Need
    var lastUsed: Date
    var use: DiskUse

    static func goesBefore(_ left: Self, _ right: Self) -> Bool {
        (left.need.rawValue, left.lastUsed) < (right.need.rawValue, right.lastUsed)
    }
}
