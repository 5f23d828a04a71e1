package import CortexControlPlane
package import CortexSpec
import Logging

/// How much of the disk the environments may take, and which of them stay in any case.
///
/// After each build those that nobody uses go, longest unused first, until the rest fits; those of earlier deployments
/// last.
package struct EnvironmentBudget: Sendable {
    private let limit: ByteCount
    private let uses: @Sendable () async throws -> EnvironmentUses

    /// - Parameter uses: What the deployed APIs need.
    package init(limit: ByteCount, uses: @escaping @Sendable () async throws -> EnvironmentUses) {
        self.limit = limit
        self.uses = uses
    }

    /// Keeps to the budget until the task is cancelled; begins with what a killed process left half removed.
    func keep(_ store: EnvironmentStore, logger: Logger) async {
        do {
            _ = try await LowPriorityThread.run { try Removal.finish(in: store.folder) }
        } catch {
            logger.error("what was left of environments was not removed", metadata: ["error": "\(error)"])
        }
        for await _ in store.builds {
            do {
                let left = try await self.apply(to: store) { key, bytes in
                    logger.info(
                        "environment removed, over budget",
                        metadata: ["environment": "\(key)", "bytes": "\(bytes)"]
                    )
                }
                guard left > self.limit.bytes else { continue }
                logger.warning(
                    "environments in use exceed their budget",
                    metadata: ["bytes": "\(left)", "budget": "\(self.limit)"]
                )
            } catch is CancellationError {
                return
            } catch {
                logger.error("environments were not kept within their budget", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Removes what nobody uses until the rest fits.
    ///
    /// - Parameter removed: Is told of each that went, with the bytes that it took.
    /// - Returns: The bytes of the rest.
    func apply(
        to store: EnvironmentStore,
        removed: (_ key: String, _ bytes: Int64) -> Void = { _, _ in }
    ) async throws -> Int64 {
        let uses = try await self.uses()
        let all = try await LowPriorityThread.run { try store.contents(uses) }
        var ledger = DiskLedger(all.map(\.use))
        for environment in all.sorted(by: StoredEnvironment.goesBefore) where environment.need != .now {
            guard ledger.total > self.limit.bytes else { break }
            // A server that ends does not wait for more than one.
            try Task.checkCancellation()
            guard try await LowPriorityThread.run({ try store.remove(environment.key) }) else { continue }
            let freed = ledger.remove(environment.use)
            removed(environment.key, freed.bytes + freed.elsewhere)
        }
        return ledger.total
    }
}
