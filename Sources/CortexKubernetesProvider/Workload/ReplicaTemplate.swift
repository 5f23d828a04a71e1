import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Crypto

/// The pods of one version of an API.
struct ReplicaTemplate: Sendable {
    /// What is installed by all who share a cache is theirs to write once, and theirs to read from there on.
    enum Folder {
        static let deployment = "/cortex/deployment"
        static let home = "/cortex/home"
        static let cache = "/cortex/cache"
        static let wheels = "/cortex/wheels"
        /// What the worker tells a TensorFlow Serving of its pod.
        static let serving = "\(home)/serving"
    }

    /// The longest request that any API may allow, in seconds; how long a pod really takes is up to what it has in flight.
    private static let longestRequest: Int64 = 3600
    /// The user that the image's processes run as.
    static let user: Int64 = 10001

    let deployment: Deployment
    /// The deployment for which pods of this kind were first made.
    let version: Int
    let settings: ClusterSettings

    var spec: APISpec { self.deployment.spec }

    /// Names all that a pod is made from: pods are replaced where it changes.
    var hash: String {
        var hash = SHA256()
        func add(_ text: String) { hash.update(data: Array("\(text.utf8.count) \(text)\n".utf8)) }
        add((try? self.spec.workerIdentity) ?? "")
        add(self.deployment.project)
        add("\(self.deployment.generation)")
        add(self.settings.image)
        add(self.settings.imagePullPolicy ?? "")
        add(self.settings.imagePullSecret ?? "")
        add(self.settings.wheels ?? "")
        add(self.settings.environmentCache.text)
        for (name, value) in self.settings.variables.sorted(by: { $0.key < $1.key }) { add("\(name)=\(value)") }
        let digits = Array("0123456789abcdef".utf8)
        let text = hash.finalize().prefix(5).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// The secret that holds the deployment.
    var secretName: String { CortexNames.secret(self.spec.name, template: self.hash) }

    var labels: [String: String] {
        CortexNames.labels(.replica).merging([
            CortexNames.Label.api: self.spec.name.description,
            CortexNames.Label.version: "\(self.version)",
            CortexNames.Label.template: self.hash,
        ]) { $1 }
    }

    /// As a Deployment has it.
    var json: JSONValue {
        var spec: JSONValue = [
            "serviceAccountName": .string(CortexNames.replicaName),
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": .int(Self.longestRequest + 15),
            "securityContext": ["fsGroup": .int(Self.user)],
            "initContainers": .array((self.cacheOwner.map { [$0] } ?? []) + [self.prepare]),
            // In this order they are started, each once its image is there: the worker finds its server.
            "containers": .array((self.tensorFlowServing.map { [$0] } ?? []) + [self.api]),
            "volumes": .array(self.volumes),
        ]
        if let secret = self.settings.imagePullSecret {
            spec.set(["imagePullSecrets"], [["name": .string(secret)]])
        }
        var metadata: JSONValue = ["labels": .object(self.labels.mapValues { .string($0) })]
        if self.hasServing { metadata.set(["annotations"], ["kubectl.kubernetes.io/default-container": "api"]) }
        return ["metadata": metadata, "spec": spec]
    }

    // MARK: Containers

    /// A folder of the node is root's when the kubelet makes it: it is given to the user of the others, and no more is done as root.
    private var cacheOwner: JSONValue? {
        guard case .node = self.settings.environmentCache else { return nil }
        return [
            "name": "cache",
            "image": .string(self.settings.image),
            "imagePullPolicy": .string(self.settings.imagePullPolicy ?? "IfNotPresent"),
            "command": ["chown", .string("\(Self.user):\(Self.user)"), .string(Folder.cache)],
            "securityContext": [
                "runAsUser": 0, "runAsGroup": 0, "allowPrivilegeEscalation": false,
                "capabilities": ["drop": ["ALL"], "add": ["CHOWN"]],
            ],
            "volumeMounts": [["name": "cache", "mountPath": .string(Folder.cache)]],
        ]
    }

    private var prepare: JSONValue {
        var variables: [JSONValue] =
            self.variables + [
                Self.variable(
                    "CORTEX_PROJECT_URL",
                    "http://\(CortexNames.operatorName):\(CortexNames.adminPort)/v1/projects/\(self.deployment.project)"
                ),
                [
                    "name": "CORTEX_INTERNAL_TOKEN",
                    "valueFrom": ["secretKeyRef": ["name": .string(CortexNames.internalSecret), "key": "token"]],
                ],
            ]
        if let wheels = self.settings.wheels {
            let isPath = wheels.hasPrefix("/")
            variables.append(Self.variable("UV_FIND_LINKS", isPath ? Folder.wheels : wheels))
            variables.append(Self.variable("UV_NO_INDEX", "1"))
            if isPath { variables.append(Self.variable("UV_OFFLINE", "1")) }
        }
        // Workers cannot write to a cache that pods share: each start would compile what it imports.
        if self.settings.environmentCache != .none { variables.append(Self.variable("UV_COMPILE_BYTECODE", "1")) }
        return self.container("prepare", ["replica", "prepare"], variables, isReadOnlyCache: false)
    }

    private var api: JSONValue {
        var container = self.container("api", ["replica", "run"], self.variables, isReadOnlyCache: true)
        container.set(
            ["ports"],
            [["name": "http", "containerPort": .int(Int64(CortexNames.dataPort)), "protocol": "TCP"]]
        )
        container.set(
            ["readinessProbe"],
            [
                "httpGet": ["path": "/readyz", "port": .int(Int64(CortexNames.dataPort))], "periodSeconds": 1,
                "failureThreshold": 2, "timeoutSeconds": 2,
            ]
        )
        container.set(
            ["livenessProbe"],
            [
                "httpGet": ["path": "/livez", "port": .int(Int64(CortexNames.dataPort))], "periodSeconds": 10,
                "failureThreshold": 3, "timeoutSeconds": 5, "initialDelaySeconds": 10,
            ]
        )
        return container
    }

    private var variables: [JSONValue] {
        let variables = [
            Self.field("CORTEX_NAMESPACE", "metadata.namespace"), Self.field("CORTEX_POD", "metadata.name"),
            Self.variable("CORTEX_HOME", Folder.home), Self.variable("CORTEX_TOOL_HOME", Folder.cache),
            Self.variable("CORTEX_DRAIN_GRACE", "\(Self.longestRequest)s"),
        ]
        return variables + self.servingVariables
            + self.settings.variables.sorted { $0.key < $1.key }.map { Self.variable($0.key, $0.value) }
    }

    private func container(
        _ name: String,
        _ arguments: [String],
        _ variables: [JSONValue],
        isReadOnlyCache: Bool
    ) -> JSONValue {
        var mounts: [JSONValue] = [
            ["name": "deployment", "mountPath": .string(Folder.deployment), "readOnly": true],
            ["name": "home", "mountPath": .string(Folder.home)],
            ["name": "cache", "mountPath": .string(Folder.cache), "readOnly": .bool(isReadOnlyCache)],
            ["name": "memory", "mountPath": "/dev/shm"],
        ]
        if let wheels = self.settings.wheels, wheels.hasPrefix("/") {
            mounts.append(["name": "wheels", "mountPath": .string(Folder.wheels), "readOnly": true])
        }
        var container: JSONValue = [
            "name": .string(name),
            "image": .string(self.settings.image),
            "args": .array(arguments.map { .string($0) }),
            "env": .array(variables),
            "envFrom": [["secretRef": ["name": "cortex-model-credentials", "optional": true]]],
            "volumeMounts": .array(mounts),
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": ["allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]]],
            "resources": name == "prepare" ? self.share.ofPreparation : self.share.ofWorkers,
        ]
        if let policy = self.settings.imagePullPolicy { container.set(["imagePullPolicy"], .string(policy)) }
        return container
    }

    private var volumes: [JSONValue] {
        var volumes: [JSONValue] = [
            ["name": "deployment", "secret": ["secretName": .string(self.secretName)]],
            ["name": "home", "emptyDir": [:]],
            ["name": "memory", "emptyDir": ["medium": "Memory"]],
        ]
        switch self.settings.environmentCache {
        case .none: volumes.append(["name": "cache", "emptyDir": [:]])
        case .claim(let name):
            volumes.append(["name": "cache", "persistentVolumeClaim": ["claimName": .string(name)]])
        case .node(let path):
            volumes.append(["name": "cache", "hostPath": ["path": .string(path), "type": "DirectoryOrCreate"]])
        }
        if let wheels = self.settings.wheels, wheels.hasPrefix("/") {
            volumes.append(["name": "wheels", "hostPath": ["path": .string(wheels), "type": "Directory"]])
        }
        return volumes
    }

    static func variable(_ name: String, _ value: String) -> JSONValue {
        ["name": .string(name), "value": .string(value)]
    }

    private static func field(_ name: String, _ path: String) -> JSONValue {
        ["name": .string(name), "valueFrom": ["fieldRef": ["fieldPath": .string(path)]]]
    }
}

extension JSONValue {
    mutating func set(_ path: [String], _ value: JSONValue) {
        var object = KubernetesObject(self)
        if let key = path.first { object[key] = value }
        self = object.json
    }
}
