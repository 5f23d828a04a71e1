import Foundation

/// Takes folders away so that nobody ever finds half of one, and a removal that is cut short can be finished.
enum Removal {
    private static let prefix = ".removing-"

    /// Removes a folder, by way of a name in `parent`, which is of the same file system; false where somebody has a
    /// lease on it, or it is gone.
    static func take(_ path: String, into parent: String) throws -> Bool {
        let doomed = "\(parent)/\(Self.prefix)\(UUID().uuidString)"
        guard try Self.move(path, to: doomed) else { return false }
        try DiskTree.remove(doomed)
        return true
    }

    /// In a function of its own, since those who ask for a lease wait for the lock's end.
    private static func move(_ path: String, to doomed: String) throws(EnvironmentError) -> Bool {
        guard let lock = FolderLock(.alone, on: path) else { return false }
        let failed = withExtendedLifetime(lock) { rename(path, doomed) != 0 }
        guard !failed else { throw .system("remove", path) }
        return true
    }

    /// Whether a name is of what a removal has yet to delete.
    static func isLeftover(_ name: String) -> Bool { name.hasPrefix(Self.prefix) }

    /// Removes what a killed process left; returns what each of it took.
    ///
    /// Two that do so at once do each other no harm.
    /// - Parameter isDryRun: Whether it is only counted.
    static func finish(in parent: String, isDryRun: Bool = false) throws -> [DiskUse] {
        var uses: [DiskUse] = []
        for name in try DiskTree.names(in: parent) where self.isLeftover(name) {
            let path = "\(parent)/\(name)"
            uses.append(try DiskTree.use(of: path))
            if !isDryRun { try DiskTree.remove(path) }
        }
        return uses
    }
}
