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

    /// Where the builds of an environment are.
    func place(for key: EnvironmentKey) -> EnvironmentPlace { EnvironmentPlace(key: key, in: self.folder) }

    /// Where the lines of an environment's last build are.
    func log(of key: String) -> String { "\(self.logs)/\(key).log" }

    /// Keeps an environment that is there; nil where it is not, is on its way out, or has lost its Python.
    func environment(_ key: EnvironmentKey) -> PythonEnvironment? { self.place(for: key).environment }

    /// To be told after each build, as it makes the rest too much for the disk perhaps.
    func built() { self.build.yield() }

    /// Removes what builds of processes that are no more left half made.
    func removeUnfinished() throws {
        for key in try self.keys().compactMap({ EnvironmentKey($0) }) { self.place(for: key).removeUnfinished() }
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
