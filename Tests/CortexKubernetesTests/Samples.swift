import CortexControlPlane
import CortexKubernetes
import CortexSpec

@testable import CortexKubernetesProvider

/// What tests of the provider are made of.
enum Sample {
    static let settings = ClusterSettings(namespace: "cortex", image: "localhost/cortex:1")

    static func spec(
        _ name: String = "iris",
        predictor: String = "{type: python, path: predictor.py}",
        yaml: String = ""
    ) throws -> APISpec {
        let text = """
            - name: \(name)
              kind: RealtimeAPI
              predictor: \(predictor)
            \(yaml)
            """
        let file = try ConfigFile.parse(text, fileName: "cortex.yaml", files: { ["predictor.py"] }) { _ in .file }
        return file.apis[0]
    }

    static func deployment(_ version: Int = 1, yaml: String = "", project: String = "a") throws -> Deployment {
        Deployment(
            id: "id\(version)",
            version: version,
            spec: try self.spec(yaml: yaml),
            project: String(repeating: project, count: 64)
        )
    }

    static func template(
        _ deployment: Deployment,
        _ settings: ClusterSettings = settings,
        version: Int? = nil
    ) -> ReplicaTemplate {
        ReplicaTemplate(deployment: deployment, version: version ?? deployment.version, settings: settings)
    }

    /// A pod as an API server tells it.
    static func pod(
        _ name: String,
        template: String,
        version: Int = 1,
        status: JSONValue = [:],
        isTerminating: Bool = false
    ) -> KubernetesObject {
        var pod = KubernetesObject([
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(name),
                "labels": [
                    "cortex.dev/api": "iris", "cortex.dev/template": .string(template),
                    "cortex.dev/version": .string("\(version)"),
                ],
            ],
            "status": status,
        ])
        if isTerminating { pod["metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        return pod
    }

    static let ready: JSONValue = [
        "phase": "Running", "conditions": [["type": "Ready", "status": "True"]],
        "containerStatuses": [["name": "api", "restartCount": 0, "state": ["running": [:]]]],
    ]

    /// A container that ended before, and is waited for.
    static func crashed(_ message: String, container: String = "api", restarts: Int64 = 1) -> JSONValue {
        [
            "phase": "Running",
            (container == "prepare" ? "initContainerStatuses" : "containerStatuses"): [
                [
                    "name": .string(container), "restartCount": .int(restarts),
                    "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 10s restarting"]],
                    "lastState": ["terminated": ["exitCode": 1, "reason": "Error", "message": .string(message)]],
                ]
            ],
        ]
    }
}
