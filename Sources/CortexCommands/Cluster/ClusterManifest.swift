import CortexKubernetes
import CortexSpec

/// Objects as the text that `kubectl apply -f` takes.
enum ClusterManifest {
    /// One document each, in their order.
    static func yaml(_ objects: [KubernetesObject]) -> String {
        objects.map { YAMLText.render($0.json, keepsEmptyMaps: true) }.joined(separator: "\n---\n")
    }
}
