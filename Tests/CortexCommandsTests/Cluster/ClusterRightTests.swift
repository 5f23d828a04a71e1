import CortexKubernetes
import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct ClusterRightTests {
    private static func rights(_ rules: JSONValue) -> ClusterRights {
        ClusterRights(KubernetesObject(["status": ["resourceRules": rules]]), namespace: "cortex")
    }

    private static func right(
        _ verb: String,
        _ group: String,
        _ resource: String,
        in namespace: String? = "cortex"
    )
        -> ClusterRight
    {
        ClusterRight(verb: verb, group: group, resource: resource, namespace: namespace)
    }

    @Test func `an administrator may do everything in a namespace`() {
        let rights = Self.rights([["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]])
        #expect(rights.cover(Self.right("create", "apps", "deployments")))
        #expect(rights.cover(Self.right("get", "", "pods/log")))
        // Rights in a namespace are none in the cluster: that has to be asked for.
        #expect(!rights.cover(Self.right("create", "", "namespaces", in: nil)))
        #expect(!rights.cover(Self.right("create", "apps", "deployments", in: "other")))
    }

    @Test func `a rule covers its verbs of its resources`() {
        let rights = Self.rights([
            [
                "verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "deployments/*", "*/scale"],
            ],
            ["verbs": ["*"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]],
        ])
        #expect(rights.cover(Self.right("get", "", "pods")))
        #expect(!rights.cover(Self.right("delete", "", "pods")))
        #expect(!rights.cover(Self.right("get", "policy", "pods")))
        #expect(!rights.cover(Self.right("get", "", "pods/log")))
        #expect(rights.cover(Self.right("get", "apps", "deployments/scale")))
        #expect(!rights.cover(Self.right("get", "", "secrets")), "of one secret only")
    }

    @Test func `what is needed depends on what is there`() throws {
        let installation = Installation(namespace: "cortex", version: "1", settings: InstallationSettings(image: "i"))
        let empty = ClusterFacts(release: .oldest, namespace: nil, definitions: [])
        let first = try ClusterRight.needed(for: installation, facts: empty)
        #expect(first.contains(Self.right("create", "", "namespaces", in: nil)))
        #expect(first.contains(Self.right("create", "apiextensions.k8s.io", "customresourcedefinitions", in: nil)))
        // What the operator's role gives, its maker must have.
        #expect(first.contains(Self.right("patch", "cortex.dev", "realtimeapis/status")))

        let definitions = try installation.objects(of: .definitions).map { object in
            var object = object
            object["status"] = ["conditions": [["type": "Established", "status": "True"]]]
            return object
        }
        let there = ClusterFacts(release: .oldest, namespace: KubernetesObject([:]), definitions: definitions)
        #expect(try ClusterRight.needed(for: installation, facts: there).allSatisfy { $0.namespace == "cortex" })
        // Those of another release are replaced, but not by an older one.
        var changed = there
        changed.definitions = definitions.map { object in
            var object = object
            object["metadata", "annotations", "cortex.dev/applied"] = "other"
            return object
        }
        var next = installation
        next.version = "2"
        #expect(try ClusterRight.needed(for: next, facts: changed).contains { $0.namespace == nil })
        next.version = "0"
        #expect(try ClusterRight.needed(for: next, facts: changed).allSatisfy { $0.namespace == "cortex" })
        let unread = ClusterFacts(release: .oldest, namespace: KubernetesObject([:]), definitions: nil)
        #expect(try ClusterRight.needed(for: next, facts: unread).allSatisfy { $0.namespace == "cortex" })
    }

    @Test func `what is missing is told by kind`() {
        let failure = ClusterRight.failure(
            [
                Self.right("create", "apiextensions.k8s.io", "customresourcedefinitions", in: nil),
                Self.right("patch", "apps", "deployments"), Self.right("create", "apps", "deployments"),
            ],
            ClusterLocation(kubeconfig: nil, context: "test", namespace: "cortex")
        )
        #expect(
            failure.message == """
                you lack rights for this in the cluster of the context test; nothing was applied:
                  create customresourcedefinitions.apiextensions.k8s.io, in the whole cluster
                  create, patch deployments.apps, in the namespace cortex
                """
        )
        #expect(
            failure.hint?.contains(
                "kubectl --context test auth can-i create customresourcedefinitions.apiextensions.k8s.io"
            ) == true
        )
    }
}
