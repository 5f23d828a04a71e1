import CortexControlPlane
import CortexServing
import Foundation

/// What a server that was killed left behind, and no later one uses.
enum Leftovers {
    /// Ends its workers and removes its files, before this process starts any.
    /// - Returns: The list that this process keeps of its own workers, for the next one.
    static func clear(_ home: CortexHome) throws -> WorkerLedger {
        let ledger = try WorkerLedger(directory: "\(home.run)/workers")
        ledger.endOrphans()
        try self.remove(from: home)
        return ledger
    }

    static func remove(from home: CortexHome) throws {
        for folder in [home.spool, home.versions] {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
        }
    }
}
