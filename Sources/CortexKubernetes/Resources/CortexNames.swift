package import CortexSpec

/// What Cortex calls its things in a cluster.
package enum CortexNames {
    package static let group = "cortex.dev"
    package static let version = "v1"

    /// What objects of an installation are called, and the names of its service accounts and roles.
    package static let operatorName = "cortex-operator"
    package static let gatewayName = "cortex-gateway"
    package static let replicaName = "cortex-replica"
    /// The secret with the token that the parts of an installation know each other by, under `token`.
    package static let internalSecret = "cortex-internal"
    /// The secret with the digests of users' tokens, each under its name.
    package static let tokenSecret = "cortex-tokens"

    /// The secret with the variables by which the operator gets into the object store of projects; optional.
    package static let projectStoreSecret = "cortex-project-store"

    /// Field managers of server-side apply.
    package static let clusterManager = "cortex-cluster"
    package static let operatorManager = "cortex-operator"

    package static let dataPort = 8888
    package static let adminPort = 8889

    package enum Label {
        package static let name = "app.kubernetes.io/name"
        package static let component = "app.kubernetes.io/component"
        package static let managedBy = "app.kubernetes.io/managed-by"
        package static let api = "cortex.dev/api"
        /// The deployment whose workers a pod runs.
        package static let version = "cortex.dev/version"
        /// Names what a pod was made from.
        package static let template = "cortex.dev/template"
        package static let role = "cortex.dev/role"
    }

    package enum Annotation {
        /// Names what an object was made from, so that it is not applied again.
        package static let applied = "cortex.dev/applied"
        package static let deployedBy = "cortex.dev/deployed-by"
        package static let createdBy = "cortex.dev/created-by"
        package static let version = "cortex.dev/version"
        /// Names the secret that a pod's variables are from, so that the pod is replaced where that changes.
        package static let credentials = "cortex.dev/credentials"
        package static let outcome = "cortex.dev/outcome"
        package static let reason = "cortex.dev/reason"
    }

    /// The processes of an installation.
    package enum Component: String, Hashable, Sendable, CaseIterable {
        case `operator`, gateway, replica
    }

    /// The labels of all that belongs to a component.
    package static func labels(_ component: Component) -> [String: String] {
        [Label.name: "cortex", Label.component: component.rawValue, Label.managedBy: "cortex"]
    }

    /// Deployment and Service of an API: what it is called as a host.
    package static func workload(_ api: APIName) -> String { "api-\(api)" }
    /// The headless Service of an API's replicas.
    package static func replicas(_ api: APIName) -> String { "api-\(api)-replicas" }
    /// - Parameter template: Names what pods are made from.
    package static func secret(_ api: APIName, template: String) -> String { "api-\(api)-\(template)" }
    package static func revision(_ api: APIName, _ version: Int) -> String { "api-\(api)-\(version)" }
}
