package import CortexControlPlane
import Foundation

extension LocalProvider {
    package func prune(isDryRun: Bool, keeping environments: Set<String>) async throws -> PruneReport {
        let prune = HomePrune(
            home: self.machine.home,
            environments: self.machine.environments.store,
            variables: ProcessEnvironment(self.machine.environment),
            isDryRun: isDryRun
        )
        return try await LowPriorityThread.run { prune.run(keeping: environments) }
    }
}
