import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation

/// One accepted deploy as a `ControllerRevision`: what Kubernetes itself keeps histories in.
///
/// Its content never changes; what became of it stands in annotations.
struct Revision: Sendable {
    /// The content.
    private struct Data: Codable {
        var deployment: ResourceDeployment<ResourceSpec>
        var identity: DeploymentIdentity
        var config: String
        var configFile: String
        var deployedBy: String
        var createdAt: Date
    }

    let record: DeploymentRecord

    init(_ record: DeploymentRecord) {
        self.record = record
    }

    /// Nil where another release wrote it, and this one cannot read it.
    init?(_ object: KubernetesObject) {
        guard let text = try? KubernetesJSON.encoder.encode(object["data"]),
            let data = try? StateJSON.specDecoder().decode(Data.self, from: text)
        else { return nil }
        let word = object.annotations[CortexNames.Annotation.outcome] ?? "pending"
        self.record = DeploymentRecord(
            deployment: data.deployment,
            identity: data.identity,
            config: data.config,
            configFile: data.configFile,
            deployedBy: data.deployedBy,
            createdAt: data.createdAt,
            outcome: DeploymentOutcome(word: word, reason: object.annotations[CortexNames.Annotation.reason])
                ?? .pending
        )
    }

    /// - Parameter owner: The uid of the `RealtimeAPI`.
    func object(namespace: String, owner: String) throws -> KubernetesObject {
        let record = self.record
        let api = record.deployment.spec.name
        let data = Data(
            deployment: record.deployment,
            identity: record.identity,
            config: record.config,
            configFile: record.configFile,
            deployedBy: record.deployedBy,
            createdAt: record.createdAt
        )
        var labels = CortexNames.labels(.replica).mapValues { JSONValue.string($0) }
        labels[CortexNames.Label.api] = .string(api.description)
        return KubernetesObject([
            "apiVersion": .string(KubernetesResource.controllerRevisions.apiVersion),
            "kind": .string(KubernetesResource.controllerRevisions.kind),
            "metadata": [
                "name": .string(CortexNames.revision(api, record.deployment.version)),
                "namespace": .string(namespace),
                "labels": .object(labels),
                "annotations": .object(Self.annotations(of: record.outcome)),
                "ownerReferences": [
                    [
                        "apiVersion": .string(record.deployment.spec.resource.apiVersion),
                        "kind": .string(record.deployment.spec.resource.kind), "name": .string(api.description),
                        "uid": .string(owner), "controller": true, "blockOwnerDeletion": false,
                    ]
                ],
            ],
            "revision": .int(Int64(record.deployment.version)),
            "data": try KubernetesJSON.value(of: StateJSON.specEncoder().encode(data)),
        ])
    }

    /// What became of it.
    static func annotations(of outcome: DeploymentOutcome) -> [String: JSONValue] {
        [
            CortexNames.Annotation.outcome: .string(outcome.word),
            CortexNames.Annotation.reason: outcome.reason.map { .string($0) } ?? .null,
        ].filter { $0.value != .null || outcome.word != "pending" }
    }
}
