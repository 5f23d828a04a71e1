import CortexSpec

/// What a user may choose of an installation; kept on the operator's Deployment, so that a second `cluster up` goes by the
/// same.
package struct InstallationSettings: Codable, Hashable, Sendable {
    /// How users outside the cluster get to the gateways.
    package enum ServiceType: String, Codable, Hashable, Sendable, CaseIterable {
        case clusterIP = "ClusterIP"
        case nodePort = "NodePort"
        case loadBalancer = "LoadBalancer"
    }

    package enum PullPolicy: String, Codable, Hashable, Sendable, CaseIterable {
        case always = "Always"
        case ifNotPresent = "IfNotPresent"
        case never = "Never"
    }

    /// Of operator, gateways and replicas.
    package var image: String
    package var imagePullPolicy: PullPolicy?
    /// The name of a Secret of the namespace.
    package var imagePullSecret: String?
    /// `volume`, or the URL of an object store; nil for the volume.
    package var projectStore: String?
    /// Of the volume; nil for the cluster's default.
    package var storageClass: String?
    /// A quantity; nil for 10Gi.
    package var storageSize: String?
    /// A URL, or a folder on the nodes.
    package var wheels: String?
    /// `node:PATH`, `claim:NAME` or `none`; nil for the operator's default.
    package var environmentCache: String?
    /// How many gateways there are; nil for 2.
    package var gateways: Int?
    package var serviceType: ServiceType?
    /// The URL that users see.
    package var endpoint: String?
    /// Of the operator's service account, such as a cloud's role with which it keeps projects.
    package var operatorAnnotations: [String: String]?
    /// Of the replicas' service account, such as a cloud's role for it.
    package var replicaAnnotations: [String: String]?

    package init(image: String) {
        self.image = image
    }

    /// Whether projects are kept in a volume of the cluster.
    package var usesVolume: Bool { self.projectPlace == Self.volume }

    /// Where projects are kept: `volume`, or a URL.
    package var projectPlace: String { self.projectStore ?? Self.volume }

    private static let volume = "volume"
}
