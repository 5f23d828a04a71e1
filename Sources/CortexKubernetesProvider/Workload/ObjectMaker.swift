import CortexKubernetes
import CortexSpec
import Crypto
import Foundation

/// Makes the objects that belong to one API or splitter.
struct ObjectMaker: Sendable {
    /// One object, and where it goes.
    struct Item: Sendable {
        /// Whose it is.
        var api: APIName
        var resource: KubernetesResource
        var object: KubernetesObject
        /// Names what the object is made from, but for how many replicas it has.
        var hash: String
    }

    let api: APIName
    /// The uid of the object that takes all of them along when it goes.
    let owner: String
    /// Of which kind that object is.
    let kind: KubernetesResource
    let namespace: String

    static let port: JSONValue = [
        "name": "http", "port": .int(Int64(CortexNames.dataPort)), "targetPort": .int(Int64(CortexNames.dataPort)),
        "protocol": "TCP",
    ]

    /// The object with what all of them have.
    func item(_ resource: KubernetesResource, _ object: KubernetesObject) -> Item {
        var object = object
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        object["metadata", "namespace"] = .string(self.namespace)
        var labels = CortexNames.labels(.replica).mapValues { JSONValue.string($0) }
        labels[CortexNames.Label.api] = .string(self.api.description)
        labels.merge(object["metadata", "labels"]?.object ?? [:]) { $1 }
        object["metadata", "labels"] = .object(labels)
        object["metadata", "ownerReferences"] = [
            [
                "apiVersion": .string(self.kind.apiVersion), "kind": .string(self.kind.kind),
                "name": .string(self.api.description), "uid": .string(self.owner), "controller": true,
                "blockOwnerDeletion": false,
            ]
        ]
        let hash = Self.hash(object)
        object["metadata", "annotations", CortexNames.Annotation.applied] = .string(hash)
        return Item(api: self.api, resource: resource, object: object, hash: hash)
    }

    private static func hash(_ object: KubernetesObject) -> String {
        var object = object
        if object["spec", "replicas"] != nil { object["spec", "replicas"] = nil }
        let text = (try? KubernetesJSON.encoder.encode(object)) ?? Data()
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: text).prefix(10).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: hash, as: UTF8.self)
    }

    /// `http://api-NAME:8888` leads to the gateways, which know what is meant by that name.
    var gatewayService: KubernetesObject {
        KubernetesObject([
            "metadata": ["name": .string(CortexNames.workload(self.api))],
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
}
