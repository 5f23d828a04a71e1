import CortexSpec

/// What the pods of operator and gateways have in common.
extension Installation {
    static func labels(_ component: CortexNames.Component) -> JSONValue {
        .object(CortexNames.labels(component).mapValues(JSONValue.string))
    }

    static func selector(_ component: CortexNames.Component) -> JSONValue { ["matchLabels": self.labels(component)] }

    func template(
        _ component: CortexNames.Component,
        _ pod: [String: JSONValue],
        annotations: [String: String] = [:]
    ) -> JSONValue {
        var metadata: [String: JSONValue] = ["labels": Self.labels(component)]
        if !annotations.isEmpty { metadata["annotations"] = .object(annotations.mapValues(JSONValue.string)) }
        return ["metadata": .object(metadata), "spec": .object(pod)]
    }

    /// The user of the image.
    private static let user: Int64 = 10001

    /// A pod without its containers.
    func pod(_ component: CortexNames.Component) -> [String: JSONValue] {
        var pod: [String: JSONValue] = [
            "serviceAccountName": .string(Self.account(component)),
            // Variables for every Service of the namespace would be one more way to name things, and grow with the APIs.
            "enableServiceLinks": false,
            // As the image does by itself; so a namespace may enforce the `restricted` pod security standard.
            "securityContext": [
                "runAsNonRoot": true, "runAsUser": .int(Self.user), "runAsGroup": .int(Self.user),
                "fsGroup": .int(Self.user), "seccompProfile": ["type": "RuntimeDefault"],
            ],
        ]
        if let secret = self.settings.imagePullSecret { pod["imagePullSecrets"] = [["name": .string(secret)]] }
        return pod
    }

    /// A container without what it runs.
    func container(_ component: CortexNames.Component) -> [String: JSONValue] {
        var container: [String: JSONValue] = [
            "name": .string(component.rawValue), "image": .string(self.settings.image),
            "resources": ["requests": ["cpu": "100m", "memory": "128Mi"]],
            "readinessProbe": Self.probe("/readyz", period: 2, failures: 2),
            "livenessProbe": Self.probe("/livez", period: 10, failures: 3),
            "securityContext": [
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
            ],
            // What it says before it fails is shown by `kubectl describe`, and by `cluster up`.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        ]
        if let policy = self.settings.imagePullPolicy { container["imagePullPolicy"] = .string(policy.rawValue) }
        return container
    }

    /// The variables by which a process knows where it is, and its peers.
    static var identity: [JSONValue] {
        [
            ["name": "CORTEX_NAMESPACE", "valueFrom": ["fieldRef": ["fieldPath": "metadata.namespace"]]],
            ["name": "CORTEX_POD", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
            [
                "name": "CORTEX_INTERNAL_TOKEN",
                "valueFrom": [
                    "secretKeyRef": ["name": .string(CortexNames.internalSecret), "key": "token"]
                ],
            ],
        ]
    }

    static func port(_ name: String, _ port: Int) -> JSONValue {
        ["name": .string(name), "containerPort": .int(Int64(port)), "protocol": "TCP"]
    }

    /// Server-side apply takes a port only with its protocol written out.
    static func servicePort(_ port: Int) -> JSONValue {
        ["name": "http", "port": .int(Int64(port)), "targetPort": .int(Int64(port)), "protocol": "TCP"]
    }

    private static func probe(_ path: String, period: Int64, failures: Int64) -> JSONValue {
        [
            "httpGet": ["path": .string(path), "port": .int(Int64(CortexNames.adminPort))],
            "periodSeconds": .int(period), "timeoutSeconds": 5, "failureThreshold": .int(failures),
        ]
    }
}
