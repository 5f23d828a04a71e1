package import CortexSpec

/// One API, or one splitter, as an object of the cluster: what is wanted, and what the operator sees of it.
package struct RealtimeAPI: Hashable, Sendable {
    package var object: KubernetesObject

    /// - Parameter object: Of kind `RealtimeAPI` or `TrafficSplitter`.
    package init(_ object: KubernetesObject) {
        self.object = object
    }

    /// Where such objects are.
    package var resource: KubernetesResource {
        self.object.kind == KubernetesResource.trafficSplitters.kind ? .trafficSplitters : .realtimeAPIs
    }

    /// Nil where the object's name is none of an API's: such an object is left alone.
    package var name: APIName? { APIName(self.object.name) }

    /// What a user wants.
    package struct Spec: Hashable, Sendable, Codable {
        /// One entry of `cortex.yaml`, as it was written.
        package var config: JSONValue
        /// The name of the file that it was in.
        package var configFile: String?
        /// Splitters have none.
        package var project: Project?
        /// One more asks for new replicas.
        package var refresh: Int?

        package init(config: JSONValue, configFile: String?, project: Project?, refresh: Int?) {
            self.config = config
            self.configFile = configFile
            self.project = project
            self.refresh = refresh
        }
    }

    package struct Project: Hashable, Sendable, Codable {
        /// SHA-256 of its content, in hex.
        package var hash: String
        /// Where it is kept; nil for the operator's own store.
        package var url: String?

        package init(hash: String, url: String? = nil) {
            self.hash = hash
            self.url = url
        }
    }

    package func spec() throws -> Spec { try (self.object["spec"] ?? [:]).decoded() }

    /// Of a splitter; nil where there is none, or none that this release can read.
    package var split: SplitRouteStatus? { self.object["status", "route"].flatMap { try? $0.decoded() } }

    /// Nil where there is none, or none that this release can read.
    package var route: RouteStatus? { self.object["status", "route"].flatMap { try? $0.decoded() } }

    /// The object that asks for `spec`; to be applied.
    package init(
        _ resource: KubernetesResource,
        name: APIName,
        namespace: String,
        spec: Spec,
        deployedBy: String
    ) throws {
        self.object = KubernetesObject([
            "apiVersion": .string(resource.apiVersion),
            "kind": .string(resource.kind),
            "metadata": [
                "name": .string(name.description),
                "namespace": .string(namespace),
                "annotations": [CortexNames.Annotation.deployedBy: .string(deployedBy)],
            ],
            "spec": try JSONValue(encoding: spec),
        ])
    }
}
