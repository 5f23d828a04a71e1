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
    /// What was refused, and why: it is tried again, since what it lacks (a project, an API) may come.
    private var refused: [APIName: (object: RealtimeAPI, reason: String)] = [:]

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
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow(.realtimeAPIs) }
            group.addTask { await self.follow(.trafficSplitters) }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(5))) != nil {
                    for (object, _) in await self.refused.values { await self.take(object) }
                }
            }
        }
    }

    private func follow(_ resource: KubernetesResource) async {
        await KubernetesWatch(self.client, resource).run { update in
            switch update {
            case .all(let objects):
                let names = Set(objects.compactMap { $0.isBeingDeleted ? nil : RealtimeAPI($0).name })
                for record in await self.store.allWanted() where record.deployment.spec.resource == resource {
                    guard !names.contains(record.deployment.spec.name) else { continue }
                    await self.forget(record.deployment.spec.name)
                }
                for object in objects { await self.take(RealtimeAPI(object)) }
            case .set(let object): await self.take(RealtimeAPI(object))
            case .removed(let object):
                if let name = RealtimeAPI(object).name { await self.forget(name, uid: object.uid) }
            case .lost(let reason):
                self.logger.warning(
                    "the watch was interrupted",
                    metadata: ["of": "\(resource.plural)", "error": "\(reason)"]
                )
            }
        }
    }

    /// - Parameter uid: Nil for whatever is of that name.
    private func forget(_ name: APIName, uid: String? = nil) async {
        self.refused[name] = nil
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
            guard await self.store.isNews(object, spec) else {
                self.refused[name] = nil
                return
            }
            try await self.deploy(spec, name, object.resource, await self.store.wanted(name))
            self.refused[name] = nil
        } catch {
            let reason = (error as? InvalidConfig)?.sentences ?? "\(error)"
            let isNews = self.refused[name]?.reason != reason
            self.refused[name] = (object, reason)
            if isNews { await self.refuse(object, name, reason) }
        }
    }

    private func deploy(
        _ spec: RealtimeAPI.Spec,
        _ name: APIName,
        _ resource: KubernetesResource,
        _ record: DeploymentRecord?
    ) async throws {
        let isAPI = resource == .realtimeAPIs
        let project = isAPI ? try await self.project(spec.project) : nil
        var files: [String] = []
        if let project { files = try await self.projects.entries(of: project).map(\.path) }
        let text = ConfigEntry.text(of: spec.config)
        let specs = try ConfigCheck(files: files).specs(in: text, file: "spec.config")
        guard specs.count == 1, let wish = specs.first, wish.name == name else { throw IntakeError.otherName(name) }
        guard wish.resource == resource else { throw IntakeError.otherKind(resource.kind) }
        let request = DeployRequest(
            specs: specs,
            project: project.map { "\($0)" } ?? String(repeating: "0", count: 64),
            config: text,
            configFile: spec.configFile ?? "spec.config",
            force: true,
            deployedBy: "kubectl"
        )
        if let problem = try await self.reconciler.targetProblems(of: request)[name]?.first {
            throw IntakeError.problem("\(problem.field): \(problem.message)")
        }
        if isAPI, let record, (spec.refresh ?? 0) > record.deployment.generation,
            try DeploymentIdentity(spec: wish, project: request.project) == record.identity
        {
            _ = try await self.reconciler.refresh(name, force: true, by: "kubectl")
            return
        }
        for result in try await self.reconciler.deploy(request) {
            if case .failure(let error) = result.outcome { throw error }
        }
    }

    /// The project, which is fetched where it is not here; throws where there is none to be had.
    private func project(_ wish: RealtimeAPI.Project?) async throws -> ProjectHash {
        guard let wish, let hash = ProjectHash(wish.hash) else { throw IntakeError.noProject(wish?.hash ?? "") }
        if try await !self.projects.hold(hash) {
            guard let url = wish.url else { throw IntakeError.noProject(wish.hash) }
            try await self.projects.store(hash, from: ProjectDownload(url: url).bytes())
        }
        return hash
    }

    /// What served goes on serving.
    private func refuse(_ object: RealtimeAPI, _ name: APIName, _ reason: String) async {
        self.logger.warning("an object is refused", metadata: ["api": "\(name)", "error": "\(reason)"])
        let status: JSONValue = [
            "code": .string(APIStatus.error.rawValue), "message": .string(APIStatus.error.label),
            "reason": .string(reason),
        ]
        _ = try? await self.client.patch(
            object.resource,
            name.description,
            subresource: "status",
            ["status": status]
        )
    }
}

/// Why an object is no deploy.
enum IntakeError: Error, Hashable, CustomStringConvertible {
    case noProject(String)
    case otherName(APIName)
    case otherKind(String)
    case problem(String)

    var description: String {
        switch self {
        case .noProject(let hash):
            "spec.project.hash: no project \(hash.prefix(64)) is stored; `cortex deploy` sends one, "
                + "or name where it is kept in spec.project.url"
        case .otherName(let name): "spec.config.name must be \(name), the name of the object"
        case .otherKind(let kind): "spec.config.kind must be \(kind), the kind of the object"
        case .problem(let text): text
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
