import CortexSpec
import Foundation

/// The operator, its Service and what it keeps.
extension Installation {
    private static let home = "/cortex/home"
    private static let wheels = "/cortex/wheels"

    func operatorDeployment() throws -> KubernetesObject {
        var pod = self.pod(.operator)
        let folders = self.operatorFolders
        var container = self.container(.operator)
        container["args"] = ["operator"]
        container["env"] = .array(self.operatorEnvironment)
        container["ports"] = [Self.port("admin", CortexNames.adminPort)]
        container["volumeMounts"] = .array(folders.map(\.mount))
        if !self.settings.usesVolume {
            // Where it is not the service account's affair who may write to the store.
            container["envFrom"] = [
                ["secretRef": ["name": .string(CortexNames.projectStoreSecret), "optional": true]]
            ]
        }
        pod["containers"] = [.object(container)]
        pod["volumes"] = .array(folders.map(\.volume))
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
                    "template": self.template(
                        .operator,
                        pod,
                        annotations: self.credentialAnnotations
                    ),
                ]
            ]
        )
    }

    /// What the operator gets into the store by reaches a pod when it is made, and not later.
    private var credentialAnnotations: [String: String] {
        let account = (self.settings.operatorAnnotations ?? [:]).sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        let all = (self.credentials.map { [$0] } ?? []) + account
        return all.isEmpty ? [:] : [CortexNames.Annotation.credentials: all.joined(separator: ",")]
    }

    private struct Folder {
        var volume: JSONValue
        var mount: JSONValue

        init(_ name: String, at path: String, _ source: (key: String, value: JSONValue), isReadOnly: Bool = false) {
            self.volume = .object(["name": .string(name), source.key: source.value])
            self.mount =
                isReadOnly
                ? ["name": .string(name), "mountPath": .string(path), "readOnly": true]
                : ["name": .string(name), "mountPath": .string(path)]
        }
    }

    /// What the operator's pod may write to, and the packages of a node.
    private var operatorFolders: [Folder] {
        let claim: JSONValue = ["claimName": .string(CortexNames.operatorName)]
        var folders = [
            Folder(
                "home",
                at: Self.home,
                self.settings.usesVolume ? ("persistentVolumeClaim", claim) : ("emptyDir", [:])
            ),
            Folder("tmp", at: "/tmp", ("emptyDir", [:])),
        ]
        if let wheels = self.agentWheels, wheels.hasPrefix("/") {
            let path: JSONValue = ["path": .string(wheels), "type": "Directory"]
            folders.append(Folder("wheels", at: Self.wheels, ("hostPath", path), isReadOnly: true))
        }
        return folders
    }

    /// Where the packages of the storage agent come from; nil where there is none, or from a package index.
    private var agentWheels: String? { self.settings.usesVolume ? nil : self.settings.wheels }

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
            + (chosen + self.agentEnvironment).compactMap { name, value in
                value.map { ["name": .string(name), "value": .string($0)] }
            }
    }

    /// What the storage agent's environment is made by.
    private var agentEnvironment: [(String, String?)] {
        guard !self.settings.usesVolume else { return [] }
        // Nothing else is writable.
        let cache: [(String, String?)] = [("UV_CACHE_DIR", "\(Self.home)/uv")]
        guard let wheels = self.agentWheels else { return cache }
        let isPath = wheels.hasPrefix("/")
        return cache + [
            ("UV_FIND_LINKS", isPath ? Self.wheels : wheels), ("UV_NO_INDEX", "1"), ("UV_OFFLINE", isPath ? "1" : nil),
        ]
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
