import CortexKubernetes
import CortexSpec

/// An installation as `cortex cluster info` tells it.
struct ClusterReport: Encodable, Hashable {
    /// Operator or gateways.
    struct Part: Encodable, Hashable {
        var ready: Int
        var requested: Int
    }

    /// The environments of this machine that lead to it.
    var environments: [String]
    var context: String
    var namespace: String
    var kubernetesVersion: String
    /// The release that is installed; nil where there is none.
    var version: String?
    var image: String?
    var projectStore: String?
    var `operator`: Part?
    var gateways: Part?
    /// Of the gateways' Service.
    var serviceType: String?
    /// Addresses outside the cluster, as far as it gives any.
    var addresses: [String]
    var apis: Int
    /// Why something is not ready.
    var problems: [String]

    private enum CodingKeys: String, CodingKey {
        case environments, context, namespace, version, image, gateways, addresses, apis, problems
        case `operator` = "operator"
        case kubernetesVersion = "kubernetes_version"
        case projectStore = "project_store"
        case serviceType = "service_type"
    }

    /// - Parameter apis: The RealtimeAPIs and TrafficSplitters of the namespace.
    init(_ facts: ClusterFacts, apis: Int, location: ClusterLocation, environments: [String]) {
        self.environments = environments
        self.context = location.context
        self.namespace = location.namespace
        self.kubernetesVersion = "\(facts.release)"
        self.version = facts.version
        let settings = facts.deployment.flatMap { Installation.settings(of: $0) }
        self.image = settings?.image
        self.projectStore = settings.map { $0.projectStore ?? "volume" }
        self.operator = facts.deployment.map(Self.part)
        self.gateways = facts.find("Deployment", CortexNames.gatewayName).map(Self.part)
        let service = facts.find("Service", CortexNames.gatewayName)
        self.serviceType = service?["spec", "type"]?.string
        self.addresses = Self.addresses(service, endpoint: settings?.endpoint)
        self.apis = apis
        let rollout = ClusterRollout(facts.found)
        self.problems = facts.deployment == nil ? [] : rollout.troubles.map(\.message)
        if self.problems.isEmpty, facts.deployment != nil, let step = rollout.step { self.problems = [step] }
    }

    private static func part(_ deployment: KubernetesObject) -> Part {
        Part(
            ready: deployment["status", "readyReplicas"]?.int ?? 0,
            requested: deployment["spec", "replicas"]?.int ?? 1
        )
    }

    private static func addresses(_ service: KubernetesObject?, endpoint: String?) -> [String] {
        if let endpoint { return [endpoint] }
        guard let service else { return [] }
        let balancers = (service["status", "loadBalancer", "ingress"]?.array ?? [])
            .compactMap { $0["hostname"]?.string ?? $0["ip"]?.string }
        let port = service["spec", "ports"]?.array?.first
        if !balancers.isEmpty { return balancers.map { "http://\($0):\(CortexNames.dataPort)" } }
        return port?["nodePort"]?.int.map { ["http://NODE:\($0)"] } ?? []
    }

    /// Lines of names and values.
    func text(bold: Bool) -> String {
        var rows: [(String, String)] = [
            ("context", self.context), ("namespace", self.namespace), ("kubernetes", self.kubernetesVersion),
        ]
        guard let version = self.version ?? (self.operator == nil ? nil : "unknown") else {
            rows.append(("cortex", "not installed here; cortex cluster up --namespace \(self.namespace)"))
            return Self.aligned(rows)
        }
        rows += [
            ("cortex", version), ("image", self.image ?? "-"), ("project store", self.projectStore ?? "-"),
            ("operator", Self.text(self.operator)), ("gateways", Self.text(self.gateways)),
            ("service", self.serviceType ?? "-"),
            ("address", self.addresses.isEmpty ? "inside the cluster only" : self.addresses.joined(separator: ", ")),
            ("apis", "\(self.apis)"),
            (
                "environment",
                self.environments.isEmpty
                    ? "none of this machine; cortex cluster up makes one" : self.environments.joined(separator: ", ")
            ),
        ]
        return Self.aligned(rows) + self.problems.map { "\n\n\($0)" }.joined()
    }

    private static func text(_ part: Part?) -> String {
        part.map { "\($0.ready) of \($0.requested) ready" } ?? "missing; cortex cluster up makes it"
    }

    private static func aligned(_ rows: [(String, String)]) -> String {
        let width = (rows.map(\.0.count).max() ?? 0) + 3
        return rows.map { $0 + String(repeating: " ", count: width - $0.count) + $1 }.joined(separator: "\n")
    }
}
