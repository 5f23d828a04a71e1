package import CortexSpec
package import Foundation
package import Logging

/// Holds what users want of their APIs and sees to it that the provider knows.
///
/// Deploys and deletes happen one after the other, each written to the store before the provider hears of it: after a
/// crash in between, ``run()`` tells it again.
package actor Reconciler {
    let store: any DeploymentStore
    let provider: any Provider
    private let logger: Logger
    let turns = TurnQueue()
    var endpointOwners = EndpointOwners()
    /// Whether the provider has been told of everything that the store wants.
    package private(set) var isRestored = false

    package init(store: any DeploymentStore, provider: any Provider, logger: Logger) {
        self.store = store
        self.provider = provider
        self.logger = logger
    }

    /// Tells the provider of every API, then records what it reports, until the task is cancelled or the provider's
    /// events end.
    ///
    /// Throws where the store cannot be read at the start.
    /// - Parameter onRestored: Called once the provider knows of every API.
    package func run(onRestored: @Sendable () async -> Void = {}) async throws {
        try await self.turns.withTurn {
            // Splitters after what they lead to.
            for record in try await self.store.allWanted().sorted(by: { $0.rank < $1.rank }) {
                await self.apply(record, fallback: try await self.store.fallback(for: record.deployment.spec.name))
            }
            self.isRestored = true
        }
        await onRestored()
        for await event in self.provider.events {
            do {
                defer { self.endpointOwners.note(event.api) }
                try await self.store.record(event)
            } catch is CancellationError {
                return
            } catch {
                // Serving goes on without its diary: a full disk must not take the APIs down.
                self.logger.error(
                    "event not recorded",
                    metadata: ["api": "\(event.api)", "event.kind": "\(event.kind)", "error": "\(error)"]
                )
            }
        }
    }

    /// What the provider finds wrong with the models of a request.
    ///
    /// Takes as long as the stores of the models need, so that other deploys go on meanwhile.
    package func modelProblems(of request: DeployRequest) async -> [APIName: [FieldProblem]] {
        let specs = request.specs.compactMap(\.api).filter { !$0.modelPlaces.isEmpty }
        guard !specs.isEmpty else { return [:] }
        return await self.provider.modelProblems(
            of: specs,
            project: request.project,
            projectDirectory: request.projectDirectory
        )
    }

    /// What the provider finds wrong with what the APIs of a request ask of its machines.
    package func computeProblems(of request: DeployRequest) async -> [APIName: [FieldProblem]] {
        await self.provider.computeProblems(of: request.specs)
    }

    /// Deploys each spec of a request on its own: one that is refused does not stop those after it.
    package func deploy(_ request: DeployRequest) async throws -> [DeployResult] {
        try await self.turns.withTurn {
            var results: [DeployResult] = []
            for spec in request.specs { results.append(try await self.deploy(spec, of: request)) }
            return results
        }
    }

    private func deploy(_ spec: ResourceSpec, of request: DeployRequest) async throws -> DeployResult {
        let identity = try DeploymentIdentity(spec: spec, project: request.project)
        let current = try await self.store.wanted(spec.name)
        let decision = DeployDecision(
            spec: spec,
            identity: identity,
            projectDirectory: request.projectDirectory,
            current: current,
            status: await self.provider.observation(of: spec.name)?.status,
            owner: try await self.owner(of: spec.networking.endpoint),
            force: request.force
        )
        let label = "\(spec.name) (\(spec.kind.rawValue))"
        if decision.isChange, let refusal = try await self.missingTargets(of: spec) {
            return DeployResult(api: spec.name, outcome: .failure(refusal), wanted: current)
        }
        let message: String
        switch decision {
        case .refuse(let error): return DeployResult(api: spec.name, outcome: .failure(error), wanted: current)
        case .upToDate:
            return DeployResult(api: spec.name, outcome: .success("\(label) is up to date"), wanted: current)
        case .alreadyUpdating:
            return DeployResult(api: spec.name, outcome: .success("\(label) is already updating"), wanted: current)
        case .create: message = "\(spec.kind == .realtime ? "creating" : "created") \(label)"
        case .update: message = "\(spec.kind == .realtime ? "updating" : "updated") \(label)"
        }
        let record = try await self.add(
            DeploymentDraft(
                spec: spec,
                identity: identity,
                config: request.config,
                configFile: request.configFile,
                projectDirectory: request.projectDirectory,
                deployedBy: request.deployedBy,
                generation: current?.deployment.generation ?? 0
            )
        )
        await self.apply(record, fallback: try await self.store.fallback(for: spec.name))
        return DeployResult(api: spec.name, outcome: .success(message), wanted: record)
    }

    /// Writes down what is wanted from now on.
    func add(_ draft: DeploymentDraft) async throws -> DeploymentRecord {
        self.endpointOwners.note(draft.spec.name)
        return try await self.store.add(draft)
    }

    func apply(_ record: DeploymentRecord, fallback: DeploymentRecord?) async {
        // A version that was live is its own last live one.
        var fallback = record.outcome == .live ? nil : fallback?.deployment
        fallback?.wasLive = true
        var deployment = record.deployment
        deployment.wasLive = record.outcome == .live
        deployment.replicas = try? await self.store.replicas(of: deployment.spec.name)
        switch deployment.spec {
        case .api(let spec):
            let fallback = fallback.flatMap { old in old.spec.api.map { old.of($0) } }
            await self.provider.apply(deployment.of(spec), fallback: fallback)
        case .splitter(let spec):
            let fallback = fallback.flatMap { old in old.spec.splitter.map { old.of($0) } }
            await self.provider.apply(deployment.of(spec), fallback: fallback)
        }
    }

    /// Has an API run so many replicas; a server that is started anew begins with as many.
    ///
    /// - Returns: How many it is to have, within its bounds; nil where it is not deployed.
    package func scale(_ api: APIName, to replicas: Int) async throws -> Int? {
        try await self.turns.withTurn {
            guard let count = await self.provider.scale(api, to: replicas) else { return nil }
            try await self.store.setReplicas(count, of: api)
            return count
        }
    }

    /// Replaces the workers of an API by new ones of the same spec and project; nil where it is not deployed.
    ///
    /// Throws ``DeployError/updating(_:)`` while an update is in progress that `force` does not replace, and ``KindError`` for a
    /// splitter.
    package func refresh(_ api: APIName, force: Bool, by token: String) async throws -> DeploymentRecord? {
        try await self.turns.withTurn {
            guard let current = try await self.store.wanted(api) else { return nil }
            try KindError.check(current.deployment.spec, for: "refresh", what: "no workers")
            let status = await self.provider.observation(of: api)?.status
            if let refusal = DeployDecision.refusalToRefresh(current, status: status, force: force) { throw refusal }
            let record = try await self.add(
                DeploymentDraft(
                    spec: current.deployment.spec,
                    identity: current.identity,
                    config: current.config,
                    configFile: current.configFile,
                    projectDirectory: current.deployment.projectDirectory,
                    deployedBy: token,
                    cause: .refresh,
                    generation: current.deployment.generation + 1
                )
            )
            await self.apply(record, fallback: try await self.store.fallback(for: api))
            return record
        }
    }

    /// Takes an API away; false where it is not deployed.
    ///
    /// Throws ``InUseError`` where splitters lead requests to it.
    package func delete(_ api: APIName, by token: String) async throws -> Bool {
        try await self.turns.withTurn {
            let users = try await self.splitters(leadingTo: api)
            guard users.isEmpty else { throw InUseError(api: api, splitters: users) }
            self.endpointOwners.note(api)
            guard try await self.store.remove(api, by: token) else { return false }
            await self.provider.remove(api)
            return true
        }
    }

    /// An API as wanted and as seen; nil where it is not deployed.
    package func api(_ name: APIName) async throws -> APIState? {
        guard let record = try await self.store.wanted(name) else { return nil }
        return APIState(
            wanted: record,
            observation: await self.provider.observation(of: name),
            models: await self.provider.models(of: name),
            targetUpdates: try await self.targetUpdates(of: record.deployment.spec)
        )
    }

    /// All APIs, by name.
    package func apis() async throws -> [APIState] {
        var states: [APIState] = []
        for record in try await self.store.allWanted() {
            let observation = await self.provider.observation(of: record.deployment.spec.name)
            states.append(APIState(wanted: record, observation: observation))
        }
        return states
    }

    /// The deployments of an API, newest first.
    package func history(of api: APIName, limit: Int) async throws -> [DeploymentRecord] {
        try await self.store.history(of: api, limit: limit)
    }

    /// What happened to an API, oldest first.
    package func events(of api: APIName, after id: Int64, limit: Int) async throws -> [EventRecord] {
        try await self.store.events(of: api, after: id, limit: limit)
    }

    /// Lines of an API's log, as the provider gives them.
    ///
    /// Throws ``KindError`` for a splitter.
    package func logLines(
        of api: APIName,
        last: Int,
        follow: Bool,
        as form: LogForm
    ) async throws -> AsyncThrowingStream<String, any Error> {
        if let spec = try await self.store.wanted(api)?.deployment.spec {
            try KindError.check(spec, for: "logs", what: "no log of its own")
        }
        return try await self.provider.logLines(of: api, last: last, follow: follow, as: form)
    }
}

/// An API as wanted and as seen.
package struct APIState: Sendable {
    package var wanted: DeploymentRecord
    /// Nil until the provider has heard of it.
    package var observation: APIObservation?
    /// Empty where it has none, and where all APIs were asked for.
    package var models = ModelObservations()
    /// Of a splitter: when each of its APIs was deployed last; empty where all APIs were asked for.
    package var targetUpdates: [APIName: Date] = [:]
}
