import CortexSpec
import Foundation

/// The operator, its Service and what it keeps.
extension Installation {
    private static let home = "/cortex/home"
    /// Secret with the variables that object stores are read with; optional.
    private static let credentialsSecret = "cortex-model-credentials"

    func operatorDeployment() throws -> KubernetesObject {
        var pod = self.pod(.operator)
        pod["containers"] = [
            .object(
                self.container(.operator).merging([
                    "args": ["operator"], "env": .array(self.operatorEnvironment),
                    // Keys of object stores, where they are not the service account's affair.
                    "envFrom": [["secretRef": ["name": .string(Self.credentialsSecret), "optional": true]]],
                    "ports": [Self.port("admin", CortexNames.adminPort)],
                    "volumeMounts": [
                        ["name": "home", "mountPath": .string(Self.home)], ["name": "tmp", "mountPath": "/tmp"],
                    ],
                ]) { $1 }
            )
        ]
        pod["volumes"] = [
            self.settings.usesVolume
                ? [
                    "name": "home", "persistentVolumeClaim": ["claimName": .string(CortexNames.operatorName)],
                ] : ["name": "home", "emptyDir": [:]],
            ["name": "tmp", "emptyDir": [:]],
        ]
        // Time to give the lease back.
        pod["terminationGracePeriodSeconds"] = 30
        return self.object(
            "apps/v1",
            "Deployment",
            CortexNames.operatorName,
            component: .operator,
            annotations: [
                CortexNames.Annotation.version: self.version,
                Self.settingsAnnotation: try Self.text(of: self.settings),
            ],
            [
                "spec": [
                    "replicas": 1, "revisionHistoryLimit": 3,
                    // The volume is one pod's at a time.
                    "strategy": ["type": "Recreate"],
                    "selector": Self.selector(.operator),
                    "template": self.template(.operator, pod),
                ]
            ]
        )
    }

    var operatorService: KubernetesObject {
        self.object(
            "v1",
            "Service",
            CortexNames.operatorName,
            component: .operator,
            [
                "spec": [
                    "type": "ClusterIP", "selector": Self.labels(.operator),
                    "ports": [Self.servicePort(CortexNames.adminPort)],
                ]
            ]
        )
    }

    var projectVolume: KubernetesObject {
        var spec: [String: JSONValue] = [
            "accessModes": ["ReadWriteOnce"],
            "resources": ["requests": ["storage": .string(self.settings.storageSize ?? "10Gi")]],
        ]
        if let storageClass = self.settings.storageClass { spec["storageClassName"] = .string(storageClass) }
        return self.object(
            "v1",
            "PersistentVolumeClaim",
            CortexNames.operatorName,
            component: .operator,
            ["spec": .object(spec)]
        )
    }

    private var operatorEnvironment: [JSONValue] {
        let settings = self.settings
        let chosen: [(String, String?)] = [
            ("CORTEX_HOME", Self.home),
            ("CORTEX_IMAGE", settings.image),
            ("CORTEX_IMAGE_PULL_POLICY", settings.imagePullPolicy?.rawValue),
            ("CORTEX_IMAGE_PULL_SECRET", settings.imagePullSecret),
            ("CORTEX_PROJECT_STORE", settings.projectStore ?? "volume"),
            ("CORTEX_WHEELS", settings.wheels),
            ("CORTEX_ENVIRONMENT_CACHE", settings.environmentCache),
            ("CORTEX_ENDPOINT", settings.endpoint),
        ]
        return Self.identity
            + chosen.compactMap { name, value in value.map { ["name": .string(name), "value": .string($0)] } }
    }

    // MARK: - What was chosen before

    private static let settingsAnnotation = "cortex.dev/settings"

    /// What an installation was made with; nil where its Deployment does not tell, or not in a way that this release reads.
    package static func settings(of deployment: KubernetesObject) -> InstallationSettings? {
        guard let text = deployment.annotations[self.settingsAnnotation] else { return nil }
        return try? KubernetesJSON.decoder.decode(InstallationSettings.self, from: .init(text.utf8))
    }

    /// The release that installed it.
    package static func version(of deployment: KubernetesObject) -> String? {
        deployment.annotations[CortexNames.Annotation.version]
    }

    private static func text(of settings: InstallationSettings) throws -> String {
        String(decoding: try KubernetesJSON.encoder.encode(settings), as: UTF8.self)
    }
}
