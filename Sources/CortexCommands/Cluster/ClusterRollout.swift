import CortexKubernetes
import CortexSpec

/// How far operator and gateways have come, by what the cluster tells of them; decides nothing but that.
struct ClusterRollout: Hashable {
    /// What does not pass by itself, as a rule.
    struct Trouble: Hashable {
        var message: String
        var hint: String?
    }

    /// Nil once all of it is as it was applied, and ready.
    var step: String?
    var troubles: [Trouble] = []

    /// - Parameter objects: The Deployments, pods and volume claims of operator and gateways.
    init(_ objects: [KubernetesObject]) {
        let deployments = objects.filter { $0.kind == "Deployment" }
        for component in [CortexNames.Component.operator, .gateway] {
            let pods = objects.filter {
                $0.kind == "Pod" && !$0.isBeingDeleted && $0.labels[CortexNames.Label.component] == component.rawValue
            }
            guard
                let deployment = deployments.first(where: {
                    $0.labels[CortexNames.Label.component] == component.rawValue
                })
            else {
                self.step = self.step ?? "waiting for the Deployment of the \(component.rawValue)"
                continue
            }
            guard let step = Self.step(of: deployment) else { continue }
            let waits = pods.compactMap(Self.wait(of:)).first
            self.step = self.step ?? "waiting for the \(component.rawValue): \(waits ?? step)"
            for trouble in Self.troubles(ofDeployment: deployment) + pods.flatMap(Self.troubles(of:))
            where !self.troubles.contains(trouble) {
                self.troubles.append(trouble)
            }
        }
    }

    /// Nil where all its pods are new and available.
    private static func step(of deployment: KubernetesObject) -> String? {
        let wanted = deployment["spec", "replicas"]?.int ?? 1
        let number = { (key: String) in deployment["status", key]?.int ?? 0 }
        guard number("observedGeneration") >= deployment.generation ?? 0 else {
            return "the cluster has not seen it yet"
        }
        let ready = min(number("updatedReplicas"), number("availableReplicas"))
        guard ready >= wanted else { return "\(ready) of \(wanted) ready" }
        guard number("replicas") <= wanted else { return "those of before are still there" }
        return nil
    }

    /// A Deployment whose pods cannot even be made: a quota is full, or an admission policy refuses them.
    private static func troubles(ofDeployment deployment: KubernetesObject) -> [Trouble] {
        guard let condition = deployment.condition("ReplicaFailure"), condition["status"]?.string == "True" else {
            return []
        }
        let message = condition["message"]?.string ?? condition["reason"]?.string ?? "no reason is told"
        let isQuota = message.contains("exceeded quota")
        return [
            Trouble(
                message: "no pod can be made for \(deployment.name): "
                    + (isQuota ? "a quota of the namespace is used up: " : "") + message,
                hint: isQuota ? "raise the quota, or free some of it, and run the command again" : nil
            )
        ]
    }

    // MARK: - Pods

    private static func statuses(of pod: KubernetesObject) -> [JSONValue] {
        (pod["status", "initContainerStatuses"]?.array ?? []) + (pod["status", "containerStatuses"]?.array ?? [])
    }

    /// What a pod that is not ready waits for.
    private static func wait(of pod: KubernetesObject) -> String? {
        if let scheduled = pod.condition("PodScheduled"), scheduled["status"]?.string == "False" {
            return "no node takes its pod: \(scheduled["message"]?.string ?? "no reason is told")"
        }
        for status in Self.statuses(of: pod) {
            guard let waiting = status["state"]?["waiting"], let reason = waiting["reason"]?.string else { continue }
            guard reason != "ContainerCreating", reason != "PodInitializing" else {
                return "its pod is being made (the image \(status["image"]?.string ?? "") may have to be fetched)"
            }
            return waiting["message"]?.string.map { "\(reason): \($0)" } ?? reason
        }
        return nil
    }

    private static let imageReasons: Set<String> = [
        "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ErrImagePull", "ErrInvalidImageName",
        "ImageInspectError", "RegistryUnavailable",
    ]

    private static func troubles(of pod: KubernetesObject) -> [Trouble] {
        Self.statuses(of: pod).compactMap { status in
            let waiting = status["state"]?["waiting"]
            if let reason = waiting?["reason"]?.string, Self.imageReasons.contains(reason) {
                let image = status["image"]?.string ?? ""
                return Trouble(
                    message: "the image \(image) cannot be pulled: "
                        + (waiting?["message"]?.string ?? reason),
                    hint: "is its name right, and may the cluster read it? give another with --image, credentials with "
                        + "--image-pull-secret; then run the command again"
                )
            }
            // One that runs again may well become ready.
            guard let count = status["restartCount"]?.int, count >= 2, status["state"]?["running"] == nil,
                let last = status["lastState"]?["terminated"]
            else { return nil }
            let said = (last["message"]?.string ?? "").trimmingSuffix(while: \.isWhitespace)
            let code = last["exitCode"]?.int.map { ", the last time with exit code \($0)" } ?? ""
            return Trouble(
                message: "\(pod.name) has ended \(count) times\(code)"
                    + (last["reason"]?.string.map { $0 == "Error" ? "" : " (\($0))" } ?? "")
                    + (said.isEmpty ? "" : ":\n" + Self.quoted(said)),
                hint: "all that it said: kubectl -n \(pod.namespace ?? "") logs \(pod.name) --previous"
            )
        }
    }

    private static func quoted(_ text: String) -> String {
        text.split(separator: "\n").suffix(12).map { "  \($0)" }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}

extension ClusterRollout {
    /// What waits for its next attempt after failures: pods that serve nothing, and Deployments that can make none.
    static func stuck(_ objects: [KubernetesObject]) -> [KubernetesObject] {
        let components = Set([CortexNames.Component.operator, .gateway].map(\.rawValue))
        return objects.filter { object in
            guard components.contains(object.labels[CortexNames.Label.component] ?? ""), !object.isBeingDeleted else {
                return false
            }
            switch object.kind {
            case "Pod":
                return !Self.troubles(of: object).isEmpty && object.condition("Ready")?["status"]?.string != "True"
            case "Deployment": return !Self.troubles(ofDeployment: object).isEmpty
            default: return false
            }
        }
    }
}
