package import CortexSpec

extension Reconciler {
    /// Makes an earlier deployment of an API the wanted one once more, as a deployment of its own.
    ///
    /// It replaces an update that is in progress: that is what it is for.
    /// - Parameters:
    ///   - target: A version's number or a deployment's id; nil asks for the one before.
    ///   - projects: Where its project has to be still.
    /// - Returns: What it went to, and what is wanted now; nil where the API is not deployed.
    /// - Throws: ``RollbackError`` where there is no such deployment, or its project has been pruned;
    ///   ``DeployError/missingTargets(_:_:)`` where a splitter's APIs are not there any more.
    package func rollback(
        _ api: APIName,
        to target: String?,
        from projects: ProjectStore,
        by token: String
    ) async throws -> (target: DeploymentRecord, wanted: DeploymentRecord)? {
        try await self.turns.withTurn {
            guard let current = try await self.store.wanted(api) else { return nil }
            let history = try await self.store.history(of: api, limit: StateStore.eventLimit)
            let found = try RollbackChoice.record(target, current: current, history: history)
            if let refusal = try await self.missingTargets(of: found.deployment.spec) { throw refusal }
            // Of its project a splitter needs nothing.
            let needsProject = found.deployment.spec.kind == .realtime
            if needsProject, try await !projects.contains(found) {
                var stored: [Int] = []
                for record in history {
                    if try await projects.contains(record) { stored.append(record.deployment.version) }
                }
                throw RollbackError.pruned(api, found.deployment.version, stored: stored)
            }
            let record = try await self.add(
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

extension ProjectStore {
    /// Whether what was deployed then can be unpacked once more.
    fileprivate func contains(_ record: DeploymentRecord) async throws -> Bool {
        guard let hash = ProjectHash(record.deployment.project) else { return false }
        return try await self.contains(hash)
    }
}
