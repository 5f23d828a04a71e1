import CortexSpec

/// The gateways, their Service and how many of them may be away at once.
extension Installation {
    /// Secret with the keys that clients of APIs show, for `networking.api_keys` by `env:`; optional.
    private static let keysSecret = "cortex-api-keys"

    var gatewayDeployment: KubernetesObject {
        var pod = self.pod(.gateway)
        pod["containers"] = [
            .object(
                self.container(.gateway).merging([
                    "args": ["gateway"],
                    "env": .array(
                        Self.identity + [
                            ["name": "CORTEX_HOME", "value": "/cortex/home"],
                            [
                                "name": "CORTEX_OPERATOR_URL",
                                "value": .string("http://\(CortexNames.operatorName):\(CortexNames.adminPort)"),
                            ],
                            // Until every proxy has heard that this pod takes no more.
                            ["name": "CORTEX_DRAIN_DELAY", "value": "5s"],
                        ]
                    ),
                    "envFrom": [["secretRef": ["name": .string(Self.keysSecret), "optional": true]]],
                    "ports": [Self.port("http", CortexNames.dataPort), Self.port("admin", CortexNames.adminPort)],
                    // For bodies that are too large for memory.
                    "volumeMounts": [
                        ["name": "home", "mountPath": "/cortex/home"], ["name": "tmp", "mountPath": "/tmp"],
                    ],
                ]) { $1 }
            )
        ]
        pod["volumes"] = [["name": "home", "emptyDir": [:]], ["name": "tmp", "emptyDir": [:]]]
        // The longest that a request may take, and what comes before and after; it ends as soon as none is in flight.
        pod["terminationGracePeriodSeconds"] = 3630
        pod["affinity"] = [
            "podAntiAffinity": [
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    [
                        "weight": 100,
                        "podAffinityTerm": [
                            "topologyKey": "kubernetes.io/hostname", "labelSelector": Self.selector(.gateway),
                        ],
                    ]
                ]
            ]
        ]
        return self.object(
            "apps/v1",
            "Deployment",
            CortexNames.gatewayName,
            component: .gateway,
            annotations: [CortexNames.Annotation.version: self.version],
            [
                "spec": [
                    "replicas": .int(Int64(self.settings.gateways ?? 2)), "revisionHistoryLimit": 3,
                    "strategy": [
                        "type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": 0, "maxSurge": 1],
                    ],
                    "selector": Self.selector(.gateway),
                    "template": self.template(.gateway, pod),
                ]
            ]
        )
    }

    var gatewayService: KubernetesObject {
        self.object(
            "v1",
            "Service",
            CortexNames.gatewayName,
            component: .gateway,
            [
                "spec": [
                    "type": .string((self.settings.serviceType ?? .clusterIP).rawValue),
                    "selector": Self.labels(.gateway), "ports": [Self.servicePort(CortexNames.dataPort)],
                ]
            ]
        )
    }

    var gatewayBudget: KubernetesObject {
        self.object(
            "policy/\(self.policyVersion)",
            "PodDisruptionBudget",
            CortexNames.gatewayName,
            component: .gateway,
            ["spec": ["maxUnavailable": 1, "selector": Self.selector(.gateway)]]
        )
    }
}
