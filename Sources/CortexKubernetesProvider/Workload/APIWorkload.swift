import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Crypto
import Foundation

/// All objects of one API but its `RealtimeAPI` itself, as they have to be.
struct APIWorkload: Sendable {
    /// One object, and where it goes.
    struct Item: Sendable {
        var resource: KubernetesResource
        var object: KubernetesObject
        /// Names what the object is made from.
        var hash: String

        /// Unique among all objects of the installation.
        var key: String { "\(self.resource.plural)/\(self.object.name)" }
    }

    let deployment: Deployment
    /// Whose pods there have to be: an earlier deployment's where its workers are the same.
    let template: ReplicaTemplate
    let replicas: Int
    /// The uid of the `RealtimeAPI`, which takes all of them along when it goes.
    let owner: String
    let settings: ClusterSettings
    /// Which version of budgets the server has; nil where it has none.
    let disruptionBudgets: KubernetesResource?

    private var api: APIName { self.deployment.spec.name }
    private var name: String { CortexNames.workload(self.api) }

    /// In the order in which they are to be made.
    func items() throws -> [Item] {
        var items = [
            self.item(.secrets, try self.secret()), self.item(.services, self.service),
            self.item(.services, self.replicaService), self.item(.deployments, self.workload),
        ]
        if let budgets = self.disruptionBudgets { items.append(self.item(budgets, self.disruptionBudget(budgets))) }
        return items
    }

    private func item(_ resource: KubernetesResource, _ object: KubernetesObject) -> Item {
        var object = object
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        object["metadata", "namespace"] = .string(self.settings.namespace)
        var labels = CortexNames.labels(.replica).mapValues { JSONValue.string($0) }
        labels[CortexNames.Label.api] = .string(self.api.description)
        labels.merge(object["metadata", "labels"]?.object ?? [:]) { $1 }
        object["metadata", "labels"] = .object(labels)
        object["metadata", "ownerReferences"] = [
            [
                "apiVersion": .string(KubernetesResource.realtimeAPIs.apiVersion),
                "kind": .string(KubernetesResource.realtimeAPIs.kind), "name": .string(self.api.description),
                "uid": .string(self.owner), "controller": true, "blockOwnerDeletion": false,
            ]
        ]
        let text = (try? KubernetesJSON.encoder.encode(object)) ?? Data()
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: text).prefix(10).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let name = String(decoding: hash, as: UTF8.self)
        object["metadata", "annotations", CortexNames.Annotation.applied] = .string(name)
        return Item(resource: resource, object: object, hash: name)
    }

    private func secret() throws -> KubernetesObject {
        var deployment = self.deployment
        // Where a pod stands says nothing of how many there are, nor of what was live before.
        deployment.replicas = nil
        deployment.projectDirectory = nil
        let text = try StateJSON.specEncoder().encode(deployment)
        return KubernetesObject([
            "metadata": ["name": .string(self.template.secretName)],
            "type": "Opaque",
            "data": ["deployment.json": .string(text.base64EncodedString())],
        ])
    }

    /// `http://api-NAME:8888` leads to the gateways, which know the API by that name.
    private var service: KubernetesObject {
        KubernetesObject([
            "metadata": ["name": .string(self.name)],
            "spec": [
                "type": "ClusterIP",
                "selector": [
                    CortexNames.Label.name: "cortex",
                    CortexNames.Label.component: .string(CortexNames.Component.gateway.rawValue),
                ],
                "ports": [Self.port],
            ],
        ])
    }

    /// What gateways watch.
    private var replicaService: KubernetesObject {
        KubernetesObject([
            "metadata": [
                "name": .string(CortexNames.replicas(self.api)), "labels": [CortexNames.Label.role: "replicas"],
            ],
            "spec": ["clusterIP": "None", "selector": self.selector, "ports": [Self.port]],
        ])
    }

    private static let port: JSONValue = [
        "name": "http", "port": .int(Int64(CortexNames.dataPort)), "targetPort": .int(Int64(CortexNames.dataPort)),
        "protocol": "TCP",
    ]

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

    private func disruptionBudget(_ resource: KubernetesResource) -> KubernetesObject {
        KubernetesObject([
            "metadata": ["name": .string(self.name)],
            "spec": ["maxUnavailable": 1, "selector": ["matchLabels": self.selector]],
        ])
    }
}
