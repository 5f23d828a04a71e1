import Foundation

/// Where an API server is, and how it knows this process.
package struct KubernetesConfiguration: Hashable, Sendable {
    /// `https://10.96.0.1:443`, without a trailing slash.
    package var server: String
    /// Where this process lives, and what it looks after.
    package var namespace: String
    /// Read again from time to time, since clusters replace it.
    package var tokenFile: String?
    /// PEM; nil trusts what the system trusts.
    package var certificateAuthorityFile: String?

    package init(server: String, namespace: String, tokenFile: String?, certificateAuthorityFile: String?) {
        self.server = server
        self.namespace = namespace
        self.tokenFile = tokenFile
        self.certificateAuthorityFile = certificateAuthorityFile
    }

    private static let account = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// What a pod is told of the cluster that it runs in; `CORTEX_KUBERNETES_URL` and its companions say otherwise.
    package static func inCluster(environment: [String: String]) throws(KubernetesConfigurationError) -> Self {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if var server = value("CORTEX_KUBERNETES_URL") {
            while server.hasSuffix("/") { server.removeLast() }
            return Self(
                server: server,
                namespace: value("CORTEX_NAMESPACE") ?? value("CORTEX_KUBERNETES_NAMESPACE") ?? "cortex",
                tokenFile: value("CORTEX_KUBERNETES_TOKEN_FILE"),
                certificateAuthorityFile: value("CORTEX_KUBERNETES_CA_FILE")
            )
        }
        guard let host = value("KUBERNETES_SERVICE_HOST") else { throw .notInCluster }
        let port = value("KUBERNETES_SERVICE_PORT") ?? "443"
        guard FileManager.default.isReadableFile(atPath: "\(Self.account)/token") else { throw .noAccount }
        let own = try? String(contentsOfFile: "\(Self.account)/namespace", encoding: .utf8)
        guard let namespace = value("CORTEX_NAMESPACE") ?? own?.trimmingCharacters(in: .whitespacesAndNewlines) else {
            throw .noAccount
        }
        return Self(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            namespace: namespace,
            tokenFile: "\(Self.account)/token",
            certificateAuthorityFile: "\(Self.account)/ca.crt"
        )
    }
}

/// Why there is no way to the API server.
package enum KubernetesConfigurationError: Error, Hashable, CustomStringConvertible {
    case notInCluster
    case noAccount
    case unreadable(file: String, reason: String)

    package var description: String {
        switch self {
        case .notInCluster:
            "KUBERNETES_SERVICE_HOST is not set: this runs in a pod of a cluster, which `cortex cluster up` starts"
        case .noAccount: "the pod has no service account: its automountServiceAccountToken must not be false"
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        }
    }
}
