import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation

/// All objects of one API but its `RealtimeAPI` itself, as they have to be.
struct APIWorkload: Sendable {
    let deployment: Deployment
    /// Whose pods there have to be: an earlier deployment's where its workers are the same.
    let template: ReplicaTemplate
    let replicas: Int
    let maker: ObjectMaker
    /// Which version of budgets the server has; nil where it has none.
    let disruptionBudgets: KubernetesResource?

    private var api: APIName { self.deployment.spec.name }
    private var name: String { CortexNames.workload(self.api) }

    /// In the order in which they are to be made.
    func items() throws -> [ObjectMaker.Item] {
        let maker = self.maker
        var items = [
            maker.item(.secrets, try self.secret()), maker.item(.services, maker.gatewayService),
            maker.item(.services, self.replicaService), maker.item(.deployments, self.workload),
        ]
        if let budgets = self.disruptionBudgets { items.append(maker.item(budgets, self.disruptionBudget)) }
        return items
    }

    private func secret() throws -> KubernetesObject {
        var deployment = self.deployment
        // Nothing of how many there are, nor of the folder that it came from.
        deployment.replicas = nil
        deployment.projectDirectory = nil
        let text = try StateJSON.specEncoder().encode(deployment)
        return KubernetesObject([
            "metadata": ["name": .string(self.template.secretName)],
            "type": "Opaque",
            "data": ["deployment.json": .string(text.base64EncodedString())],
        ])
    }

    /// What gateways watch.
    private var replicaService: KubernetesObject {
        KubernetesObject([
            "metadata": [
                "name": .string(CortexNames.replicas(self.api)), "labels": [CortexNames.Label.role: "replicas"],
            ],
            "spec": ["clusterIP": "None", "selector": self.selector, "ports": [ObjectMaker.port]],
        ])
    }

    private var selector: JSONValue {
        [
            CortexNames.Label.api: .string(self.api.description),
            CortexNames.Label.component: .string(CortexNames.Component.replica.rawValue),
        ]
    }

    private var workload: KubernetesObject {
        let strategy = self.deployment.spec.updateStrategy
        return KubernetesObject([
            "metadata": ["name": .string(self.name)],
            "spec": [
                "replicas": .int(Int64(self.replicas)),
                "selector": ["matchLabels": self.selector],
                "strategy": [
                    "type": "RollingUpdate",
                    "rollingUpdate": [
                        "maxSurge": Self.count(strategy.maxSurge),
                        "maxUnavailable": Self.count(strategy.maxUnavailable),
                    ],
                ],
                // What a version needs to come up (a large environment, large models) has no bound.
                "progressDeadlineSeconds": 86400,
                "revisionHistoryLimit": 1,
                "template": self.template.json,
            ],
        ])
    }

    /// `1` as a number, `25%` as text: what is counted must not be text.
    private static func count(_ text: String) -> JSONValue {
        Int64(text).map { .int($0) } ?? .string(text)
    }

    private var disruptionBudget: KubernetesObject {
        KubernetesObject([
            "metadata": ["name": .string(self.name)],
            "spec": ["maxUnavailable": 1, "selector": ["matchLabels": self.selector]],
        ])
    }
}
