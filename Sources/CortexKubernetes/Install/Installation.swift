import CortexSpec

/// Everything that `cortex cluster up` puts into a namespace, as objects; a pure function of what was chosen.
package struct Installation: Hashable, Sendable {
    package var namespace: String
    /// The release that installs.
    package var version: String
    package var settings: InstallationSettings
    /// The version of the group `policy` that the cluster serves: `v1`, or `v1beta1` before 1.21.
    package var policyVersion: String

    /// Names the state of the secret ``CortexNames/projectStoreSecret``; nil where there is none, or it is not asked for.
    package var credentials: String?

    package init(namespace: String, version: String, settings: InstallationSettings, policyVersion: String = "v1") {
        self.namespace = namespace
        self.version = version
        self.settings = settings
        self.policyVersion = policyVersion
    }

    /// What is applied together, in the order in which that happens: later ones need earlier ones.
    package enum Phase: String, Hashable, Sendable, CaseIterable {
        case namespace, definitions, access, storage, `operator`, gateways
    }

    /// The objects of a phase; Secrets are not among them, since what they hold is not for everybody who may read a manifest.
    package func objects(of phase: Phase) throws -> [KubernetesObject] {
        switch phase {
        case .namespace: [self.namespaceObject]
        case .definitions: try self.definitions()
        case .access: self.accounts + self.roles
        case .storage: self.settings.usesVolume ? [self.projectVolume] : []
        case .operator: [try self.operatorDeployment(), self.operatorService]
        case .gateways: [self.gatewayDeployment, self.gatewayService, self.gatewayBudget]
        }
    }

    /// All phases' objects.
    package func objects() throws -> [KubernetesObject] {
        try Phase.allCases.flatMap { try self.objects(of: $0) }
    }

    /// The labels by which everything of Cortex is found again, of components and of APIs alike.
    package static let selector = "\(CortexNames.Label.managedBy)=cortex"

    static let labels: [String: String] = [CortexNames.Label.name: "cortex", CortexNames.Label.managedBy: "cortex"]

    private var namespaceObject: KubernetesObject {
        // Says that `cluster down` may delete it, with all that is in it.
        let metadata: JSONValue = [
            "name": .string(self.namespace), "labels": .object(Self.labels.mapValues(JSONValue.string)),
            "annotations": [CortexNames.Annotation.createdBy: .string(Self.creator)],
        ]
        return KubernetesObject(["apiVersion": "v1", "kind": "Namespace", "metadata": metadata])
    }

    /// The value of the annotation ``CortexNames/Annotation/createdBy``.
    package static let creator = "cluster-up"

    /// An object of the namespace.
    func object(
        _ apiVersion: String,
        _ kind: String,
        _ name: String,
        component: CortexNames.Component? = nil,
        annotations: [String: String] = [:],
        _ members: [String: JSONValue]
    ) -> KubernetesObject {
        let labels = component.map { CortexNames.labels($0) } ?? Self.labels
        var metadata: [String: JSONValue] = [
            "name": .string(name), "namespace": .string(self.namespace),
            "labels": .object(labels.mapValues(JSONValue.string)),
        ]
        if !annotations.isEmpty { metadata["annotations"] = .object(annotations.mapValues(JSONValue.string)) }
        var object = members
        object["apiVersion"] = .string(apiVersion)
        object["kind"] = .string(kind)
        object["metadata"] = .object(metadata)
        return KubernetesObject(.object(object))
    }
}
