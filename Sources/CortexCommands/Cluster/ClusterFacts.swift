import CortexKubernetes
import CortexSpec
import Foundation

/// What a cluster is and holds before something is done to it.
struct ClusterFacts {
    /// Of the API server.
    struct Release: Hashable, Comparable, CustomStringConvertible {
        var major: Int
        var minor: Int

        /// Server-side apply, leases and these versions of the custom resources' definitions are there from here on.
        static let oldest = Self(major: 1, minor: 20)

        static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }

        var description: String { "\(self.major).\(self.minor)" }

        /// - Parameter text: `1.20`, `v1.32.4`, `1.27+`.
        init?(_ text: String) {
            let parts = text.trimmingPrefix("v").split(separator: ".").map { part in Int(part.prefix(while: \.isNumber))
            }
            guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
            self.init(major: major, minor: minor)
        }

        init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        /// The version of the group `policy` that it serves.
        var policyVersion: String { self < Self(major: 1, minor: 21) ? "v1beta1" : "v1" }
    }

    var release: Release
    /// Nil where there is none; an object without content where the user may not look at it.
    var namespace: KubernetesObject?
    /// The custom resources' definitions; nil where the user may not look at them, though they are there.
    var definitions: [KubernetesObject]?
    /// What is in the namespace of an earlier `up`, and its pods.
    var found: [KubernetesObject] = []

    var deployment: KubernetesObject? { self.find("Deployment", CortexNames.operatorName) }

    /// The release of Cortex that is installed.
    var version: String? { self.deployment.flatMap { Installation.version(of: $0) } }

    func find(_ kind: String, _ name: String) -> KubernetesObject? {
        self.found.first { $0.kind == kind && $0.name == name }
    }

    /// Whether the definitions are in force as `installation` has them, or as a newer one elsewhere in the cluster has.
    func hasDefinitions(of installation: Installation) throws -> Bool {
        guard let definitions = self.definitions else { return true }
        return try installation.objects(of: .definitions).allSatisfy { wanted in
            guard let found = definitions.first(where: { $0.name == wanted.name }), found.isEstablished else {
                return false
            }
            let applied = CortexNames.Annotation.applied
            return found.annotations[applied] == wanted.annotations[applied]
                || ClusterSetup.isOlder(
                    installation.version,
                    than: found.annotations[CortexNames.Annotation.version] ?? "0"
                )
        }
    }
}

extension KubernetesObject {
    /// Whether a custom resource's definition is in force.
    var isEstablished: Bool { self.condition("Established")?["status"]?.string == "True" }

    /// A condition of its status, by its type.
    func condition(_ type: String) -> JSONValue? {
        self["status", "conditions"]?.array?.first { $0["type"]?.string == type }
    }
}

extension ClusterFacts {
    /// Looks at the cluster without changing anything.
    /// - Parameter withSecrets: Whether to read the installation's secrets too; what may not be read is then left out.
    /// - Throws: ``CommandFailure`` where it is none that Cortex can be set up in; ``KubectlFailure``.
    static func read(
        _ calls: inout ClusterCalls,
        namespace: String,
        withSecrets: Bool = false
    ) async throws -> Self {
        calls.show("asking the API server")
        let text = try await calls.run(["version", "-o", "json"])
        let answer = try KubernetesJSON.value(of: text.utf8)
        let version = answer["serverVersion"]?["gitVersion"]?.string ?? ""
        guard let release = Release(version) else {
            throw CommandFailure("the API server says that its version is \(version.debugDescription)")
        }
        guard release >= .oldest else {
            throw CommandFailure("the cluster runs Kubernetes \(release); Cortex needs \(Release.oldest) or later")
        }
        calls.show("looking at the namespace \(namespace)")
        var facts = ClusterFacts(
            release: release,
            namespace: try await Self.namespace(namespace, &calls),
            definitions: try await Self.definitions(&calls)
        )
        if let found = facts.namespace, found["status", "phase"]?.string == "Terminating" {
            throw Self.terminating(found, calls.kubectl)
        }
        guard facts.namespace != nil else { return facts }
        facts.found = try await Self.found(&calls, namespace: namespace, withSecrets: withSecrets)
        return facts
    }

    private static func namespace(
        _ name: String,
        _ calls: inout ClusterCalls
    ) async throws -> KubernetesObject? {
        do {
            return try await calls.objects(["namespace", name]).first
        } catch let failure as KubectlFailure where failure.cause == .forbidden {
            // Whoever may not look at it was given it by somebody who may.
            return KubernetesObject([:])
        }
    }

    private static func definitions(_ calls: inout ClusterCalls) async throws -> [KubernetesObject]? {
        do {
            return try await calls.objects(["customresourcedefinitions"] + Installation.definitionNames)
        } catch let failure as KubectlFailure where failure.cause == .forbidden {
            do {
                // What is served may be known to everybody.
                let path = "/apis/\(CortexNames.group)/\(CortexNames.version)"
                _ = try await calls.run(["get", "--raw", path])
                return nil
            } catch let failure as KubectlFailure where failure.cause == .notFound || failure.cause == .forbidden {
                return []
            }
        }
    }

    private static func found(
        _ calls: inout ClusterCalls,
        namespace: String,
        withSecrets: Bool
    ) async throws -> [KubernetesObject] {
        do {
            let found = try await calls.objects([
                "deployments,services,pods,persistentvolumeclaims", "-n", namespace, "-l", Self.components,
            ])
            guard withSecrets else { return found }
            let secrets = [CortexNames.internalSecret, CortexNames.tokenSecret, CortexNames.projectStoreSecret]
            return try await found + calls.objects(["secrets", "-n", namespace] + secrets)
        } catch let failure as KubectlFailure where failure.cause == .forbidden && withSecrets {
            // Which rights are missing is told in one list.
            return []
        }
    }

    /// What operator and gateways are found by.
    static let components =
        "\(Installation.selector),\(CortexNames.Label.component) in "
        + "(\(CortexNames.Component.operator.rawValue),\(CortexNames.Component.gateway.rawValue))"

    /// The failure of a command on a namespace that goes away, with what holds it up.
    private static func terminating(_ namespace: KubernetesObject, _ kubectl: Kubectl) -> CommandFailure {
        let held = (namespace["status", "conditions"]?.array ?? [])
            .filter { $0["status"]?.string == "True" }
            .compactMap { $0["message"]?.string }
        var named = kubectl
        named.namespace = namespace.name
        var failure = KubectlFailure("NamespaceTerminating").failure(of: named)
        if !held.isEmpty { failure.message += ": \(held.joined(separator: "; "))" }
        return failure
    }
}
