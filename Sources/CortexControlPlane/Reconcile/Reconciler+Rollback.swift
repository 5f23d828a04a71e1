package import CortexSpec

extension Reconciler {
    /// Makes an earlier deployment of an API the wanted one once more, as a deployment of its own.
    ///
    /// It replaces an update that is in progress: that is what it is for.
    /// - Parameter target: A version's number or a deployment's id; nil asks for the one before.
    /// - Returns: What it went to, and what is wanted now; nil where the API is not deployed.
    /// - Throws: ``RollbackError`` where there is no such deployment.
    package func rollback(
        _ api: APIName,
        to target: String?,
        by token: String
    ) async throws -> (target: DeploymentRecord, wanted: DeploymentRecord)? {
        try await self.turns.withTurn {
            guard let current = try await self.store.wanted(api) else { return nil }
            let history = try await self.store.history(of: api, limit: StateStore.eventLimit)
            let found = try RollbackChoice.record(target, current: current, history: history)
            let record = try await self.store.add(
                DeploymentDraft(
                    spec: found.deployment.spec,
                    identity: found.identity,
                    config: found.config,
                    configFile: found.configFile,
                    projectDirectory: found.deployment.projectDirectory,
                    deployedBy: token,
                    cause: .rollback,
                    origin: found.deployment.version,
                    // That of its workers, where they still serve: they need not be replaced then.
                    generation: found.deployment.generation
                )
            )
            await self.apply(record, fallback: try await self.store.fallback(for: api))
            return (found, record)
        }
    }
}
