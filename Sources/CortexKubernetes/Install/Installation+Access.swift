import CortexSpec

/// Who may do what: roles of the namespace only, nothing in the whole cluster.
extension Installation {
    /// One line of a role.
    package struct Rule: Hashable, Sendable {
        package var group: String
        package var resources: [String]
        package var verbs: [String]

        init(_ group: String, _ resources: String, _ verbs: String) {
            self.group = group
            self.resources = resources.split(separator: " ").map(String.init)
            self.verbs = verbs.split(separator: " ").map(String.init)
        }

        fileprivate var json: JSONValue {
            [
                "apiGroups": [.string(self.group)], "resources": .array(self.resources.map(JSONValue.string)),
                "verbs": .array(self.verbs.map(JSONValue.string)),
            ]
        }
    }

    /// What the operator may do.
    package static let operatorRules = [
        Rule(CortexNames.group, "realtimeapis trafficsplitters", "get list watch create update patch delete"),
        Rule(CortexNames.group, "realtimeapis/status trafficsplitters/status", "get update patch"),
        Rule(CortexNames.group, "realtimeapis/finalizers trafficsplitters/finalizers", "update"),
        Rule("apps", "deployments", "get list watch create update patch delete"),
        Rule("apps", "deployments/scale", "get update patch"),
        Rule("apps", "replicasets", "get list watch"),
        Rule("apps", "controllerrevisions", "get list watch create update patch delete"),
        Rule("", "services", "get list watch create update patch delete"),
        Rule("", "secrets", "get list create update patch delete"),
        Rule("", "pods", "get list watch"),
        Rule("", "pods/log", "get"),
        Rule("", "events", "get list create patch"),
        Rule("policy", "poddisruptionbudgets", "get list create update patch delete"),
        Rule("coordination.k8s.io", "leases", "get create update patch"),
    ]

    /// What gateways may do.
    package static let gatewayRules = [
        Rule(CortexNames.group, "realtimeapis trafficsplitters", "get list watch"),
        Rule("discovery.k8s.io", "endpointslices", "get list watch"),
        Rule("", "endpoints", "get list watch"),
    ]

    var accounts: [KubernetesObject] {
        CortexNames.Component.allCases.map { component in
            self.object(
                "v1",
                "ServiceAccount",
                Self.account(component),
                component: component,
                annotations: self.accountAnnotations(component),
                // A replica's user code needs nothing of the API server.
                component == .replica ? ["automountServiceAccountToken": false] : [:]
            )
        }
    }

    private func accountAnnotations(_ component: CortexNames.Component) -> [String: String] {
        switch component {
        case .operator: self.settings.operatorAnnotations ?? [:]
        case .gateway: [:]
        case .replica: self.settings.replicaAnnotations ?? [:]
        }
    }

    var roles: [KubernetesObject] {
        [(CortexNames.Component.operator, Self.operatorRules), (.gateway, Self.gatewayRules)].flatMap {
            component,
            rules in
            [
                self.object(
                    Self.roleVersion,
                    "Role",
                    Self.account(component),
                    component: component,
                    ["rules": .array(rules.map(\.json))]
                ),
                self.object(
                    Self.roleVersion,
                    "RoleBinding",
                    Self.account(component),
                    component: component,
                    [
                        "roleRef": [
                            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                            "name": .string(Self.account(component)),
                        ],
                        "subjects": [
                            [
                                "kind": "ServiceAccount", "name": .string(Self.account(component)),
                                "namespace": .string(self.namespace),
                            ]
                        ],
                    ]
                ),
            ]
        }
    }

    private static let roleVersion = "rbac.authorization.k8s.io/v1"

    static func account(_ component: CortexNames.Component) -> String {
        switch component {
        case .operator: CortexNames.operatorName
        case .gateway: CortexNames.gatewayName
        case .replica: CortexNames.replicaName
        }
    }
}
