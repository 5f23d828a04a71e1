package import CortexControlPlane
import CortexModels

extension LocalProvider {
    package func prune(isDryRun: Bool, keeping environments: Set<String>) async throws -> PruneReport {
        let prune = HomePrune(
            home: self.machine.home,
            environments: self.machine.environments.store,
            variables: ProcessEnvironment(self.machine.environment),
            apis: Set(self.apis.keys.map { "\($0)" }),
            isDryRun: isDryRun
        )
        var report = try await LowPriorityThread.run { prune.run(keeping: environments) }
        // An API that is on its way up may be about to ask for what the server before has left it.
        guard await self.areModelsKnown() else { return report }
        let (count, bytes) = await self.machine.models.prune(isDryRun: isDryRun)
        if count > 0 { report.items.append(PruneItem(.models, count: count, bytes: bytes)) }
        return report
    }
}
