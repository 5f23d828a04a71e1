import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation
import Logging

/// What the provider does of its own accord.
extension KubernetesProvider {
    /// Watches the cluster and makes it so, until the task is cancelled; to be called after ``read()``.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchPods() }
            group.addTask { await self.watchWorkloads() }
            group.addTask { await self.watchServices() }
            group.addTask { await self.noteChanges() }
            group.addTask { await self.tick() }
            for await _ in self.wakeups {
                while let api = self.work.next() { group.addTask { await self.lookAfter(api) } }
            }
            group.cancelAll()
        }
        self.emit.finish()
    }

    func enqueue(_ api: APIName) {
        self.work.add(api)
        self.wakeUp.yield()
    }

    /// Writes the statuses that have still to be written; to be called last.
    package func flush() async {
        for api in self.work.waiting {
            do {
                try await self.writeStatus(of: api)
            } catch {
                self.logger.warning("a status is not written", metadata: ["api": "\(api)", "error": "\(error)"])
            }
        }
    }

    /// Takes note of what there is: what is there already need not be applied again.
    package func read() async throws {
        let budgets = try await self.client.discover(group: "policy", preferring: ["v1", "v1beta1"])
        self.disruptionBudgets = budgets.map { KubernetesResource.disruptionBudgets.at($0) }
        let resources: [KubernetesResource] =
            [.secrets, .services, .deployments] + (self.disruptionBudgets.map { [$0] } ?? [])
        for resource in resources {
            for object in try await self.client.list(resource, labels: CortexNames.labels(.replica)).objects {
                self.applied.note(resource, object)
                if resource == .deployments { self.seeWorkload(object) }
            }
        }
        for pod in try await self.client.list(.pods, labels: CortexNames.labels(.replica)).objects { self.see(pod) }
    }

    /// Writes statuses that change without an event: what is in flight, who was last heard of.
    private func noteChanges() async {
        for await api in self.store.changes { self.enqueue(api) }
    }

    private func tick() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { self.loads.expire(now: self.now) }
    }

    // MARK: One API

    /// Makes the objects of an API what they have to be, and writes down what is seen of it.
    private func lookAfter(_ api: APIName) async {
        var failed = false
        do {
            while !self.isLeading() { try await Task.sleep(for: .seconds(1)) }
            do {
                try await self.applyObjects(of: api)
            } catch let error as KubernetesError {
                failed = true
                self.refused(error, api)
            }
            try await self.writeStatus(of: api)
        } catch is CancellationError {
            return
        } catch {
            failed = true
            self.logger.warning("the API server cannot be asked", metadata: ["api": "\(api)", "error": "\(error)"])
        }
        let pause = self.work.finished(api, failed: failed)
        if let pause {
            try? await Task.sleep(for: pause)
            self.work.add(api)
        }
        self.wakeUp.yield()
    }

    private func applyObjects(of api: APIName) async throws {
        guard let object = await self.store.object(of: api), let owner = object.object.uid else { return }
        let maker = ObjectMaker(api: api, owner: owner, kind: object.resource, namespace: self.settings.namespace)
        if self.splitters[api] != nil {
            let item = maker.item(.services, maker.gatewayService)
            guard !self.applied.has(item) else { return }
            try await self.client.apply(item.resource, item.object)
            if self.splitters[api] != nil { self.applied.note(item) }
            return
        }
        guard let view = self.apis[api] else { return }
        var deployment = view.wanted
        // Replicas that come later need not be as strict with their models as the first.
        if case .done = view.rollout { deployment.wasLive = true }
        let workload = APIWorkload(
            deployment: deployment,
            template: self.template(of: view.wanted, version: self.templateVersion(view)),
            replicas: view.replicas,
            maker: maker,
            disruptionBudgets: self.disruptionBudgets
        )
        for item in try workload.items() where !self.applied.has(item) {
            let object = try await self.client.apply(item.resource, item.object)
            // Deleted meanwhile: what was made goes with its owner.
            guard self.apis[api] != nil else { return }
            self.applied.note(item)
            if item.resource == .deployments { self.seeWorkload(object) }
        }
        try await self.scaleWorkload(of: api)
        if self.apis[api]?.refusal != nil {
            self.apis[api]?.refusal = nil
            self.settle(api)
        }
        try await self.removeOldSecrets(of: api, except: workload.template.secretName)
    }

    /// The deployment for which pods of this kind were first made: they need not be replaced for having served an earlier one.
    private func templateVersion(_ view: APIView) -> Int {
        let api = view.wanted.spec.name
        if let known = self.templateVersions[api], known.template == view.template { return known.version }
        return view.pods.values.first { $0.template == view.template }?.version ?? view.wanted.version
    }

    /// What only needs another count is not applied as a whole.
    private func scaleWorkload(of api: APIName) async throws {
        guard let wanted = self.apis[api]?.replicas, let there = self.scales[api], there != wanted else { return }
        try await self.client.scale(.deployments, CortexNames.workload(api), to: wanted)
        self.scales[api] = wanted
    }

    /// Deployments that no pod is of any more.
    private func removeOldSecrets(of api: APIName, except current: String) async throws {
        guard let view = self.apis[api], case .done = view.rollout else { return }
        let used = Set(view.pods.values.map { CortexNames.secret(api, template: $0.template) } + [current])
        for name in self.applied.names(.secrets, of: api) where !used.contains(name) {
            try await self.client.delete(.secrets, name)
            self.applied.forget(.secrets, name, of: api)
        }
    }

    /// What the cluster will not have is a failure of the deploy; what may pass is tried again.
    private func refused(_ error: KubernetesError, _ api: APIName) {
        self.logger.warning("an object cannot be made", metadata: ["api": "\(api)", "error": "\(error)"])
        guard !error.isPassing, !error.isConflict, error.status != 401 else { return }
        self.apis[api]?.refusal = error.description
        self.settle(api)
    }
}
