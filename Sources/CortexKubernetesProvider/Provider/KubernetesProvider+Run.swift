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
                guard let hash = object.annotations[CortexNames.Annotation.applied] else { continue }
                self.applied["\(resource.plural)/\(object.name)"] = hash
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
        guard let view = self.apis[api], let owner = await self.store.object(of: api)?.object.uid else { return }
        let version = self.templateVersions[api].flatMap { $0.template == view.template ? $0.version : nil }
        let workload = APIWorkload(
            deployment: view.wanted,
            template: self.template(of: view.wanted, version: version),
            replicas: view.replicas,
            owner: owner,
            settings: self.settings,
            disruptionBudgets: self.disruptionBudgets
        )
        for item in try workload.items() where self.applied[item.key] != item.hash {
            let object = try await self.client.apply(item.resource, item.object)
            // Deleted meanwhile: what was made goes with its owner.
            guard self.apis[api] != nil else { return }
            self.applied[item.key] = item.hash
            if item.resource == .deployments { self.seeWorkload(object) }
        }
        if self.apis[api]?.refusal != nil {
            self.apis[api]?.refusal = nil
            self.settle(api)
        }
        try await self.removeOldSecrets(of: api, except: workload.template.secretName)
    }

    /// Deployments that no pod is of any more.
    private func removeOldSecrets(of api: APIName, except current: String) async throws {
        guard let view = self.apis[api], case .done = view.rollout else { return }
        let own = "secrets/\(CortexNames.workload(api))-"
        let used = Set(view.pods.values.map { "\(own)\($0.template)" } + ["secrets/\(current)"])
        let length = own.utf8.count + 10
        for key in self.applied.keys where key.hasPrefix(own) && key.utf8.count == length && !used.contains(key) {
            try await self.client.delete(.secrets, String(key.dropFirst("secrets/".count)))
            self.applied[key] = nil
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
