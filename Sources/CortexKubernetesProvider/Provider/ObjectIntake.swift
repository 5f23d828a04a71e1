package import CortexControlPlane
package import CortexKubernetes
import CortexSpec
import Foundation
package import Logging

/// Takes what others do with `RealtimeAPI` objects (`kubectl apply`, a GitOps tool) for deploys and deletes.
package actor ObjectIntake {
    private let client: KubernetesClient
    private let store: ClusterStore
    private let reconciler: Reconciler
    private let projects: ProjectStore
    private let logger: Logger
    /// What was refused, so that it is told once: the generations of objects.
    private var refused: [APIName: Int] = [:]

    package init(
        client: KubernetesClient,
        store: ClusterStore,
        reconciler: Reconciler,
        projects: ProjectStore,
        logger: Logger
    ) {
        self.client = client
        self.store = store
        self.reconciler = reconciler
        self.projects = projects
        self.logger = logger
    }

    /// Runs until the task is cancelled; to be started when the reconciler has told the provider of every API.
    package func run() async {
        await KubernetesWatch(self.client, .realtimeAPIs).run { update in
            switch update {
            case .all(let objects):
                let names = Set(objects.compactMap { $0.isBeingDeleted ? nil : RealtimeAPI($0).name })
                for record in await self.store.allWanted() where !names.contains(record.deployment.spec.name) {
                    await self.forget(record.deployment.spec.name)
                }
                for object in objects { await self.take(RealtimeAPI(object)) }
            case .set(let object): await self.take(RealtimeAPI(object))
            case .removed(let object):
                if let name = RealtimeAPI(object).name { await self.forget(name, uid: object.uid) }
            case .lost(let reason):
                self.logger.warning(
                    "the watch was interrupted",
                    metadata: ["of": "realtimeapis", "error": "\(reason)"]
                )
            }
        }
    }

    /// - Parameter uid: Nil for whatever is of that name.
    private func forget(_ name: APIName, uid: String? = nil) async {
        guard let known = await self.store.object(of: name), uid == nil || known.object.uid == uid else { return }
        do {
            _ = try await self.reconciler.delete(name, by: "kubectl")
        } catch {
            self.logger.warning("a deleted API stays", metadata: ["api": "\(name)", "error": "\(error)"])
        }
    }

    private func take(_ object: RealtimeAPI) async {
        guard let name = object.name else { return }
        guard !object.object.isBeingDeleted else { return await self.forget(name, uid: object.object.uid) }
        await self.store.saw(object)
        do {
            let spec = try object.spec()
            guard await self.store.isNews(object, spec), self.refused[name] != object.object.generation else { return }
            try await self.deploy(spec, name, await self.store.wanted(name))
            self.refused[name] = nil
        } catch {
            self.refused[name] = object.object.generation
            await self.refuse(name, "\((error as? InvalidConfig)?.sentences ?? "\(error)")")
        }
    }

    private func deploy(_ spec: RealtimeAPI.Spec, _ name: APIName, _ record: DeploymentRecord?) async throws {
        guard let hash = ProjectHash(spec.project.hash) else { throw IntakeError.noProject(spec.project.hash) }
        if try await !self.projects.hold(hash) {
            guard let url = spec.project.url else { throw IntakeError.noProject(spec.project.hash) }
            try await self.projects.store(hash, from: ProjectDownload(url: url).bytes())
        }
        let files = try await self.projects.entries(of: hash).map(\.path)
        let text = ConfigEntry.text(of: spec.config)
        let specs = try ConfigCheck(files: files).specs(in: text, file: "spec.config")
        guard specs.count == 1, specs.first?.name == name else { throw IntakeError.otherName(name) }
        guard specs.first?.kind == .realtime else { throw IntakeError.otherKind }
        let request = DeployRequest(
            specs: specs,
            project: "\(hash)",
            config: text,
            configFile: spec.configFile ?? "spec.config",
            force: true,
            deployedBy: "kubectl"
        )
        if let record, (spec.refresh ?? 0) > record.deployment.generation,
            try DeploymentIdentity(spec: specs[0], project: "\(hash)") == record.identity
        {
            _ = try await self.reconciler.refresh(name, force: true, by: "kubectl")
            return
        }
        for result in try await self.reconciler.deploy(request) {
            if case .failure(let error) = result.outcome { throw error }
        }
    }

    /// What served goes on serving.
    private func refuse(_ name: APIName, _ reason: String) async {
        self.logger.warning("an object is refused", metadata: ["api": "\(name)", "error": "\(reason)"])
        let status: JSONValue = [
            "code": .string(APIStatus.error.rawValue), "message": .string(APIStatus.error.label),
            "reason": .string(reason),
        ]
        _ = try? await self.client.patch(.realtimeAPIs, name.description, subresource: "status", ["status": status])
    }
}

/// Why an object is no deploy.
enum IntakeError: Error, Hashable, CustomStringConvertible {
    case noProject(String)
    case otherName(APIName)
    case otherKind

    var description: String {
        switch self {
        case .noProject(let hash):
            "spec.project.hash: no project \(hash.prefix(64)) is stored; `cortex deploy` sends one, "
                + "or name where it is kept in spec.project.url"
        case .otherName(let name): "spec.config.name must be \(name), the name of the object"
        case .otherKind: "spec.config.kind must be RealtimeAPI, the kind of the object"
        }
    }
}

extension InvalidConfig {
    /// Each problem with its field, without places: an object has no lines.
    fileprivate var sentences: String {
        self.problems.map { problem in
            (problem.field.map { "\($0): " } ?? "") + problem.message + (problem.allowed.map { "; \($0)" } ?? "")
        }.joined(separator: "\n")
    }
}
