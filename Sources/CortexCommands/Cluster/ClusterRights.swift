import CortexKubernetes
import CortexSpec
import Foundation

/// One thing that a user must be allowed to do, as `kubectl auth can-i` would be asked for it.
struct ClusterRight: Hashable, Comparable, Sendable, CustomStringConvertible {
    var verb: String
    /// Empty for the core group.
    var group: String
    /// With its subresource: `deployments/scale`.
    var resource: String
    /// Nil for the whole cluster.
    var namespace: String?

    var description: String { "\(self.verb) \(self.kind)" }

    /// `deployments.apps`.
    var kind: String {
        guard !self.group.isEmpty else { return self.resource }
        let parts = self.resource.split(separator: "/", maxSplits: 1)
        return "\(parts[0]).\(self.group)" + (parts.count > 1 ? "/\(parts[1])" : "")
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.namespace == nil ? 0 : 1, left.kind, left.verb) < (right.namespace == nil ? 0 : 1, right.kind, right.verb)
    }

    /// A question to the API server.
    var review: JSONValue {
        let parts = self.resource.split(separator: "/", maxSplits: 1).map(String.init)
        var attributes: [String: JSONValue] = [
            "verb": .string(self.verb), "group": .string(self.group), "resource": .string(parts[0]),
        ]
        if parts.count > 1 { attributes["subresource"] = .string(parts[1]) }
        if let namespace { attributes["namespace"] = .string(namespace) }
        return [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": ["resourceAttributes": .object(attributes)],
        ]
    }
}

/// What a user may do in a namespace, as a `SelfSubjectRulesReview` tells it.
///
/// It may tell less than is true, never more; and of the whole cluster it tells nothing.
struct ClusterRights {
    private struct Rule {
        var verbs: Set<String>
        var groups: Set<String>
        var resources: Set<String>
    }

    private let namespace: String
    private let rules: [Rule]

    /// - Parameter review: The answered review.
    init(_ review: KubernetesObject, namespace: String) {
        self.namespace = namespace
        self.rules = (review["status", "resourceRules"]?.array ?? []).compactMap { rule in
            // Rights to objects of certain names are not enough.
            guard (rule["resourceNames"]?.array ?? []).isEmpty else { return nil }
            let texts = { (key: String) in Set((rule[key]?.array ?? []).compactMap(\.string)) }
            return Rule(verbs: texts("verbs"), groups: texts("apiGroups"), resources: texts("resources"))
        }
    }

    func cover(_ right: ClusterRight) -> Bool {
        guard right.namespace == self.namespace else { return false }
        return self.rules.contains { rule in
            !rule.verbs.isDisjoint(with: ["*", right.verb]) && !rule.groups.isDisjoint(with: ["*", right.group])
                && !rule.resources.isDisjoint(with: Self.spellings(right.resource))
        }
    }

    private static func spellings(_ resource: String) -> [String] {
        guard let slash = resource.firstIndex(of: "/") else { return ["*", resource] }
        return ["*", resource, "*\(resource[slash...])"]
    }
}

extension ClusterRight {
    /// All that `cluster up` needs, given what is there.
    static func needed(for installation: Installation, facts: ClusterFacts) throws -> [ClusterRight] {
        var rights: [ClusterRight] = []
        func add(_ verbs: [String], _ group: String, _ resource: String, in namespace: String?) {
            rights += verbs.map { ClusterRight(verb: $0, group: group, resource: resource, namespace: namespace) }
        }
        if facts.namespace == nil { add(["create", "patch"], "", "namespaces", in: nil) }
        if try !facts.hasDefinitions(of: installation) {
            add(["get", "create", "patch"], "apiextensions.k8s.io", "customresourcedefinitions", in: nil)
        }
        let namespace = installation.namespace
        let applied = ["get", "create", "patch"]
        for resource in ["serviceaccounts", "services"] { add(applied, "", resource, in: namespace) }
        // What the operator may do can be given only by who may do it, which the roles' own rules ask for below.
        for resource in ["roles", "rolebindings"] { add(applied, "rbac.authorization.k8s.io", resource, in: namespace) }
        add(applied + ["list"], "", "secrets", in: namespace)
        add(applied + ["list"], "", "persistentvolumeclaims", in: namespace)
        add(applied + ["list"], "apps", "deployments", in: namespace)
        add(["list"], "", "services", in: namespace)
        add(applied, "policy", "poddisruptionbudgets", in: namespace)
        add(["get", "list", "delete"], "", "pods", in: namespace)
        add(["create"], "", "pods/portforward", in: namespace)
        for rule in Installation.operatorRules + Installation.gatewayRules {
            for resource in rule.resources { add(rule.verbs, rule.group, resource, in: namespace) }
        }
        return Array(Set(rights)).sorted()
    }

    /// The rights of these that the user does not have.
    /// - Throws: ``KubectlFailure``.
    static func missing(
        _ rights: [ClusterRight],
        in namespace: String,
        _ calls: inout ClusterCalls
    ) async throws
        -> [ClusterRight]
    {
        let review: JSONValue = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": ["namespace": .string(namespace)],
        ]
        let answer = Data(try await Self.ask(review, format: "json", &calls).utf8)
        let known = ClusterRights(
            try KubernetesJSON.decoder.decode(KubernetesObject.self, from: answer),
            namespace: namespace
        )
        let open = rights.filter { !known.cover($0) }
        guard !open.isEmpty else { return [] }
        // One line each, in the same order.
        let answers = try await Self.ask(
            ["apiVersion": "v1", "kind": "List", "items": .array(open.map(\.review))],
            format: "go-template={{.status.allowed}}{{\"\\n\"}}",
            &calls
        ).split(separator: "\n")
        guard answers.count == open.count else {
            throw CommandFailure(
                "the API server answered \(answers.count) of \(open.count) questions about your rights"
            )
        }
        return zip(open, answers).filter { $1 != "true" }.map(\.0)
    }

    private static func ask(
        _ question: JSONValue,
        format: String,
        _ calls: inout ClusterCalls
    ) async throws -> String {
        try await calls.run(
            ["create", "--validate=false", "-o", format, "-f", "-"],
            input: String(decoding: try KubernetesJSON.encoder.encode(question), as: UTF8.self)
        )
    }

    /// Says which rights are missing.
    static func failure(_ missing: [ClusterRight], _ location: ClusterLocation) -> CommandFailure {
        func lines(_ rights: [ClusterRight], _ where: String) -> [String] {
            let kinds = Dictionary(grouping: rights, by: \.kind)
            return kinds.keys.sorted().map { kind in
                "  \((kinds[kind] ?? []).map(\.verb).sorted().joined(separator: ", ")) \(kind), \(`where`)"
            }
        }
        let text =
            lines(missing.filter { $0.namespace == nil }, "in the whole cluster")
            + lines(missing.filter { $0.namespace != nil }, "in the namespace \(location.namespace)")
        return CommandFailure(
            "you lack rights for this in the cluster of the context \(location.context); nothing was applied:\n"
                + text.joined(separator: "\n"),
            hint: """
                see for yourself: kubectl --context \(location.context) auth can-i \
                \(missing.first.map { $0.description + ($0.namespace.map { " -n \($0)" } ?? "") } ?? "")
                  somebody who has them can run the same command, or apply what this prints: \
                cortex cluster up … --dry-run -o yaml
                """
        )
    }
}
