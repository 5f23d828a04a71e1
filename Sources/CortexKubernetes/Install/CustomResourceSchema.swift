import CortexSpec

/// The schemas of the custom resources, as an API server checks them.
///
/// What is inside `spec.config` is the operator's to check, which says what is wrong with it in `status.reason`: a schema here
/// would refuse what a newer operator understands.
enum CustomResourceSchema {
    static let realtimeAPI = Self.root(
        spec: [
            "type": "object", "required": ["config", "project"],
            "properties": [
                "config": Self.config,
                "configFile": Self.text("The name of the file that the entry was in; told with what is wrong in it."),
                "project": [
                    "type": "object", "required": ["hash"],
                    "description": "The project's folder, as cortex deploy packs it.",
                    "properties": [
                        "hash": [
                            "type": "string", "pattern": "^[0-9a-f]{64}$",
                            "description": "SHA-256 of its content.",
                        ],
                        "url": Self.text("Where it is kept; left out, in the operator's own store."),
                    ],
                ],
                "refresh": [
                    "type": "integer", "minimum": 0, "default": 0, "description": "One more asks for new replicas.",
                ],
            ],
        ],
        status: [
            "servingVersion": Self.number("The version that answers requests."),
            "deployment": Self.text("The id of the newest deployment."),
            "progress": Self.text("How far the newest version has come."),
            "replicas": [
                "type": "object",
                "properties": .object(
                    ["requested", "ready", "stale", "failed"].reduce(into: [:]) { $0[$1] = ["type": "integer"] }
                ),
            ],
            "autoscaler": Self.text("What the autoscaler saw and decided last, as JSON."),
        ]
    )

    static let trafficSplitter = Self.root(
        spec: [
            "type": "object", "required": ["config"],
            "properties": [
                "config": Self.config,
                "configFile": Self.text("The name of the file that the entry was in; told with what is wrong in it."),
            ],
        ],
        status: [:]
    )

    private static let config: JSONValue = [
        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        "description": "One entry of cortex.yaml, as it is written there.",
    ]

    private static let free: JSONValue = ["type": "object", "x-kubernetes-preserve-unknown-fields": true]

    private static func root(spec: JSONValue, status: [String: JSONValue]) -> JSONValue {
        [
            "type": "object", "required": ["spec"],
            "properties": [
                // The name is part of host names, and of the names of other objects.
                "metadata": [
                    "type": "object",
                    "properties": [
                        "name": ["type": "string", "maxLength": 42, "pattern": "^[a-z]([a-z0-9-]*[a-z0-9])?$"]
                    ],
                ],
                "spec": spec,
                "status": [
                    "type": "object", "description": "Only the operator writes it.",
                    "properties": .object(status.merging(self.commonStatus) { $1 }),
                ],
            ],
        ]
    }

    private static var commonStatus: [String: JSONValue] {
        [
            "observedGeneration": ["type": "integer", "format": "int64"],
            "version": Self.number("The newest version that was accepted."),
            "code": Self.text("What it is doing, for programs: status_live."),
            "message": Self.text("The same, for people."),
            "reason": Self.text("Why it is not doing better."),
            "endpoint": Self.text("Where it answers."),
            "lastUpdated": Self.text("When it was deployed last."),
            "route": Self.free,
            "events": ["type": "array", "items": Self.free],
            "conditions": [
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                "items": [
                    "type": "object", "required": ["type", "status"],
                    "properties": [
                        "type": ["type": "string"], "status": ["type": "string"], "reason": ["type": "string"],
                        "message": ["type": "string"], "lastTransitionTime": ["type": "string"],
                        "observedGeneration": ["type": "integer", "format": "int64"],
                    ],
                ],
            ],
        ]
    }

    private static func text(_ description: String) -> JSONValue {
        ["type": "string", "description": .string(description)]
    }

    private static func number(_ description: String) -> JSONValue {
        ["type": "integer", "description": .string(description)]
    }
}
