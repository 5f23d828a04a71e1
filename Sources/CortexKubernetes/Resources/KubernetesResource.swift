/// A kind of object, and where an API server has it.
package struct KubernetesResource: Hashable, Sendable {
    /// Empty for the core group.
    package var group: String
    package var version: String
    /// As paths have it: `deployments`.
    package var plural: String
    package var kind: String

    package init(group: String, version: String, plural: String, kind: String) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
    }

    /// As objects have it: `apps/v1`, `v1`.
    package var apiVersion: String { self.group.isEmpty ? self.version : "\(self.group)/\(self.version)" }

    /// The same kind in another version of its group.
    package func at(_ version: String) -> Self {
        Self(group: self.group, version: version, plural: self.plural, kind: self.kind)
    }

    /// The path of an object, or of all where no name is given; nil for the namespace leaves it out.
    func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var path = self.group.isEmpty ? "/api/\(self.version)" : "/apis/\(self.group)/\(self.version)"
        if let namespace { path += "/namespaces/\(namespace)" }
        path += "/\(self.plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

extension KubernetesResource {
    private static func core(_ plural: String, _ kind: String) -> Self {
        Self(group: "", version: "v1", plural: plural, kind: kind)
    }

    package static let pods = core("pods", "Pod")
    package static let services = core("services", "Service")
    package static let endpoints = core("endpoints", "Endpoints")
    package static let secrets = core("secrets", "Secret")
    package static let events = core("events", "Event")
    package static let deployments = Self(group: "apps", version: "v1", plural: "deployments", kind: "Deployment")
    package static let controllerRevisions = Self(
        group: "apps",
        version: "v1",
        plural: "controllerrevisions",
        kind: "ControllerRevision"
    )
    package static let leases = Self(group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")
    /// `v1beta1` before 1.21.
    package static let disruptionBudgets = Self(
        group: "policy",
        version: "v1",
        plural: "poddisruptionbudgets",
        kind: "PodDisruptionBudget"
    )
    /// `v1beta1` before 1.21.
    package static let endpointSlices = Self(
        group: "discovery.k8s.io",
        version: "v1",
        plural: "endpointslices",
        kind: "EndpointSlice"
    )
    package static let realtimeAPIs = Self(
        group: CortexNames.group,
        version: CortexNames.version,
        plural: "realtimeapis",
        kind: "RealtimeAPI"
    )
    package static let trafficSplitters = Self(
        group: CortexNames.group,
        version: CortexNames.version,
        plural: "trafficsplitters",
        kind: "TrafficSplitter"
    )
}
