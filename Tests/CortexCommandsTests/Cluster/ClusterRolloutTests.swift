import CortexKubernetes
import CortexSpec
import Testing

@testable import CortexCommands

@Suite struct ClusterRolloutTests {
    private static func object(
        _ kind: String,
        _ name: String,
        _ component: String,
        _ members: [String: JSONValue]
    )
        -> KubernetesObject
    {
        var object = members
        object["kind"] = .string(kind)
        object["metadata"] = [
            "name": .string(name), "namespace": "cortex", "generation": 2,
            "labels": ["app.kubernetes.io/component": .string(component)],
        ]
        return KubernetesObject(.object(object))
    }

    private static func deployment(
        _ component: String,
        wanted: Int64,
        ready: Int64,
        observed: Int64 = 2,
        all: Int64? = nil,
        conditions: JSONValue = []
    ) -> KubernetesObject {
        self.object(
            "Deployment",
            "cortex-\(component)",
            component,
            [
                "spec": ["replicas": .int(wanted)],
                "status": [
                    "observedGeneration": .int(observed), "updatedReplicas": .int(ready),
                    "availableReplicas": .int(ready), "replicas": .int(all ?? wanted), "conditions": conditions,
                ],
            ]
        )
    }

    private static func pod(_ component: String, _ status: JSONValue, conditions: JSONValue = []) -> KubernetesObject {
        self.object(
            "Pod",
            "cortex-\(component)-1",
            component,
            ["status": ["containerStatuses": [status], "conditions": conditions]]
        )
    }

    private static let gateways = Self.deployment("gateway", wanted: 2, ready: 2)

    @Test func `all that is ready is done`() {
        let rollout = ClusterRollout([Self.deployment("operator", wanted: 1, ready: 1), Self.gateways])
        #expect(rollout.step == nil && rollout.troubles.isEmpty)
    }

    @Test func `what is not seen, not ready or still there is waited for`() {
        #expect(ClusterRollout([Self.gateways]).step == "waiting for the Deployment of the operator")
        let unseen = Self.deployment("operator", wanted: 1, ready: 1, observed: 1)
        #expect(
            ClusterRollout([unseen, Self.gateways]).step == "waiting for the operator: the cluster has not seen it yet"
        )
        let coming = Self.deployment("gateway", wanted: 2, ready: 1)
        let ready = Self.deployment("operator", wanted: 1, ready: 1)
        #expect(ClusterRollout([ready, coming]).step == "waiting for the gateway: 1 of 2 ready")
        let surplus = Self.deployment("gateway", wanted: 2, ready: 2, all: 3)
        #expect(ClusterRollout([ready, surplus]).step == "waiting for the gateway: those of before are still there")
    }

    @Test func `an image that cannot be pulled is a trouble`() {
        let status: JSONValue = [
            "image": "nowhere/cortex:1",
            "state": ["waiting": ["reason": "ImagePullBackOff", "message": "Back-off pulling image"]],
        ]
        let rollout = ClusterRollout([
            Self.deployment("operator", wanted: 1, ready: 0), Self.pod("operator", status), Self.gateways,
        ])
        #expect(
            rollout.troubles.map(\.message) == ["the image nowhere/cortex:1 cannot be pulled: Back-off pulling image"]
        )
        #expect(rollout.troubles.first?.hint?.contains("--image-pull-secret") == true)
    }

    @Test func `a full quota is a trouble, and a full node something to wait for`() {
        let message = "pods \"x\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"
        let full = Self.deployment(
            "operator",
            wanted: 1,
            ready: 0,
            conditions: [["type": "ReplicaFailure", "status": "True", "message": .string(message)]]
        )
        let rollout = ClusterRollout([full, Self.gateways])
        #expect(rollout.troubles.first?.message.contains("a quota of the namespace is used up: \(message)") == true)
        #expect(ClusterRollout.stuck([full]).map(\.name) == ["cortex-operator"])

        let pending = Self.pod(
            "operator",
            [:],
            conditions: [["type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"]]
        )
        let waiting = ClusterRollout([Self.deployment("operator", wanted: 1, ready: 0), pending, Self.gateways])
        #expect(waiting.step == "waiting for the operator: no node takes its pod: 0/1 nodes are available")
        #expect(waiting.troubles.isEmpty)
    }

    @Test func `a process that keeps ending is a trouble, with what it said`() {
        let status: JSONValue = [
            "restartCount": 2, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
            "lastState": ["terminated": ["exitCode": 1, "reason": "Error", "message": "error: no lease\n"]],
        ]
        let pod = Self.pod("operator", status)
        let rollout = ClusterRollout([Self.deployment("operator", wanted: 1, ready: 0), pod, Self.gateways])
        #expect(
            rollout.troubles.map(\.message) == [
                "cortex-operator-1 has ended 2 times, the last time with exit code 1:\n  error: no lease"
            ]
        )
        #expect(ClusterRollout.stuck([pod]).map(\.name) == ["cortex-operator-1"])
        // One that serves is left alone, whatever was before.
        let serving = Self.pod("operator", status, conditions: [["type": "Ready", "status": "True"]])
        #expect(ClusterRollout.stuck([serving]).isEmpty)
    }
}
