import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Logging

/// What the provider sees of the cluster.
extension KubernetesProvider {
    func watchPods() async {
        await KubernetesWatch(self.client, .pods, labels: CortexNames.labels(.replica)).run { update in
            switch update {
            case .all(let pods):
                let names = Set(pods.map(\.name))
                for (api, view) in self.apis {
                    for name in view.pods.keys where !names.contains(name) { self.lose(name, of: api) }
                }
                for pod in pods { self.see(pod) }
            case .set(let pod): self.see(pod)
            case .removed(let pod): if let view = PodView(pod) { self.lose(view.name, of: view.api) }
            case .lost(let reason): self.lost("pods", reason)
            }
        }
    }

    /// Somebody else may change or delete what this process has made: then it is made again.
    func watchWorkloads() async {
        await KubernetesWatch(self.client, .deployments, labels: CortexNames.labels(.replica)).run { update in
            self.seeThere(.deployments, update)
            switch update {
            case .all(let workloads): for workload in workloads { self.seeWorkload(workload) }
            case .set(let workload): self.seeWorkload(workload)
            case .removed(let workload): workload.api.map { self.scales[$0] = nil }
            case .lost: break
            }
        }
    }

    func watchServices() async {
        await KubernetesWatch(self.client, .services, labels: CortexNames.labels(.replica)).run { update in
            self.seeThere(.services, update)
        }
    }

    /// What is gone is made again, unless its API has gone too.
    private func seeThere(_ resource: KubernetesResource, _ update: KubernetesUpdate) {
        switch update {
        case .all(let objects):
            let names = Set(objects.map(\.name))
            for api in self.applied.apis {
                for name in self.applied.names(resource, of: api) where !names.contains(name) {
                    self.seeGone(resource, name, of: api)
                }
            }
        case .removed(let object): if let api = object.api { self.seeGone(resource, object.name, of: api) }
        case .set: break
        case .lost(let reason): self.lost(resource.plural, reason)
        }
    }

    private func seeGone(_ resource: KubernetesResource, _ name: String, of api: APIName) {
        self.applied.forget(resource, name, of: api)
        self.enqueue(api)
    }

    private func lost(_ what: String, _ reason: String) {
        self.logger.warning("the watch was interrupted", metadata: ["of": "\(what)", "error": "\(reason)"])
    }

    /// Notes for which deployment the pods of a workload were first made.
    func seeWorkload(_ object: KubernetesObject) {
        let labels = object["spec", "template", "metadata", "labels"]
        guard let api = object.api, let template = labels?[CortexNames.Label.template]?.string,
            let version = labels?[CortexNames.Label.version]?.string.flatMap({ Int($0) })
        else { return }
        self.templateVersions[api] = (template, version)
        self.noteShortage(object, of: api)
        guard let replicas = object["spec", "replicas"]?.int, self.scales[api] != replicas else { return }
        self.scales[api] = replicas
        // Somebody else may have set another count.
        if let view = self.apis[api], view.replicas != replicas { self.enqueue(api) }
    }

    /// A quota, or a rule of the cluster, may keep pods from being made at all: only their Deployment tells.
    private func noteShortage(_ object: KubernetesObject, of api: APIName) {
        let conditions = object["status", "conditions"]?.array ?? []
        let failure = conditions.first { $0["type"]?.string == "ReplicaFailure" && $0["status"]?.string == "True" }
        let shortage = failure?["message"]?.string
        guard let view = self.apis[api], view.shortage != shortage else { return }
        self.apis[api]?.shortage = shortage
        self.enqueue(api)
    }

    func see(_ object: KubernetesObject) {
        guard let pod = PodView(object) else { return }
        let before = self.pods[pod.api]?[pod.name]
        self.pods[pod.api, default: [:]][pod.name] = pod
        guard before != pod, self.apis[pod.api] != nil else { return }
        self.apis[pod.api]?.pods[pod.name] = pod
        self.tellRestart(of: pod, before: before)
        self.settle(pod.api)
        self.enqueue(pod.api)
    }

    private func lose(_ pod: String, of api: APIName) {
        self.pods[api]?[pod] = nil
        self.apis[api]?.pods[pod] = nil
        if self.pods[api]?.isEmpty == true { self.pods[api] = nil }
        self.settle(api)
        self.enqueue(api)
    }

    /// Pods that were there before this process was.
    func adoptPods(of api: APIName) {
        self.apis[api]?.pods = self.pods[api] ?? [:]
    }

    private func tellRestart(of pod: PodView, before: PodView?) {
        guard let before, pod.restarts > before.restarts, let view = self.apis[pod.api] else { return }
        // A version that never came up tells of its end once, as its failure.
        guard case .done = view.rollout else { return }
        let reason = (pod.trouble ?? before.trouble)?.reason ?? "its container ended"
        let (kind, text): (ProviderEvent.Kind, String) =
            pod.restarts == 3
            ? (.crashLoop, "\(pod.name) ends again and again: \(reason)") : (.workerExited, "\(pod.name): \(reason)")
        guard pod.restarts <= 3 else { return }
        self.tell(kind, text, of: pod.api, version: pod.version)
    }
}
