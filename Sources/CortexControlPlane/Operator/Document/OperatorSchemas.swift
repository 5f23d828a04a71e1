import CortexSpec

/// The bodies of the operator's requests and answers, by the names that the document gives them.
enum OperatorSchemas {
    static let hash: JSONValue = ["type": "string", "pattern": "^[0-9a-f]{64}$"]

    static let all: [String: JSONValue] = [
        "API": .members(
            [
                "spec": [
                    "anyOf": [RouteAnswer.reference("APISpec"), RouteAnswer.reference("TrafficSplitterSpec")]
                ],
                "status": .members(
                    [
                        "status_code": .choice(of: APIStatus.allCases.map(\.rawValue)), "message": .text,
                        "replica_counts": .members([
                            "requested": .count, "ready": .count, "stale": .count, "failed": .count,
                        ]),
                    ],
                    optional: [
                        "reason": .text, "progress": .text, "serving_version": .positive,
                        "replicas": .list(of: RouteAnswer.reference("Replica")),
                    ]
                ),
                "metrics": .members(["network_stats": Self.statistics]),
                "endpoint": .text,
                "deployment": RouteAnswer.reference("Deployment"),
            ],
            optional: [
                "models": .list(of: RouteAnswer.reference("Model")), "model_troubles": .list(of: .text),
                "targets": .list(of: RouteAnswer.reference("Target")),
            ]
        ),
        "APISpec": Self.spec,
        "Target": .members(
            [
                "name": .text, "weight": .count, "shadow": .flag, "message": .text, "requested": .count,
                "network_stats": Self.statistics,
            ],
            optional: ["status_code": .choice(of: APIStatus.allCases.map(\.rawValue)), "last_updated": .time]
        ),
        "TrafficSplitterSpec": .members([
            "name": .text, "kind": .choice(of: [APIKind.trafficSplitter.rawValue]), "networking": Self.networking,
            "apis": .list(of: .members(["name": .text, "weight": .count, "shadow": .flag])),
        ]),
        "Replica": .members(
            [
                "name": .text, "version": .positive,
                "state": .choice(of: ReplicaObservation.State.allCases.map(\.rawValue)),
            ],
            optional: ["reason": .text]
        ),
        "Deployment": .members(
            [
                "id": .text, "version": .positive, "project": Self.hash, "deployed_by": .text, "last_updated": .time,
                "outcome": .choice(of: ["pending", "live", "failed", "superseded"]),
            ],
            optional: ["reason": .text]
        ),
        "DeployResult": .members(
            ["api": .nullable(RouteAnswer.reference("API")), "message": .text, "error": .text],
            optional: ["warnings": .list(of: RouteAnswer.reference("Problem"))]
        ),
        "Deploy": [
            "type": "object",
            "properties": [
                "config": ["type": "string", "description": "the text of cortex.yaml"],
                "project": Self.hash,
                "config_file": ["type": ["string", "null"], "default": "cortex.yaml"],
                "project_directory": [
                    "type": ["string", "null"], "pattern": "^/",
                    "description": "where relative model paths are looked for first, on the server's machine",
                ],
                "force": ["type": ["boolean", "null"], "default": false],
            ],
            "required": ["config", "project"],
        ],
        "Error": .members(
            ["error": .text, "code": ["type": "string", "pattern": "^[A-Z_]+$"], "request_id": .text],
            optional: ["hint": .text, "problems": .list(of: RouteAnswer.reference("Problem"))]
        ),
        "Event": .members([
            "id": .positive, "at": .time, "api": .text, "version": .positive, "message": .text,
            "kind": .choice(of: EventRecord.kinds),
        ]),
        "GatewayReport": .members([
            "gateway": .text,
            "apis": [
                "type": "object",
                "additionalProperties": .members([
                    "in_flight": .count, "waiting": .count, "received": .count, "code_2xx": .count, "code_4xx": .count,
                    "code_5xx": .count, "total_ms": .number,
                ]),
            ],
        ]),
        "Message": .members(["message": .text]),
        "Model": .members(
            [
                "name": .text, "is_latest": .flag, "is_on_disk": .flag, "loaded_by": .count,
            ],
            optional: [
                "version": ["type": "string", "pattern": "^(0|[1-9][0-9]*)$"], "modified": ["type": "integer"],
                "size": .count,
                "load_seconds": .number, "input_signatures": Self.tensors, "output_signatures": Self.tensors,
                "signature_key": .text, "error": .text,
            ]
        ),
        "NewToken": [
            "type": "object",
            "properties": ["name": ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"]],
            "required": ["name"],
        ],
        "Problem": .members(
            ["file": .text, "line": .positive, "column": .positive, "message": .text, "rendered": .text],
            optional: ["api": .text, "field": .text, "allowed": .text, "hint": .text, "detail": .text]
        ),
        "ProjectStore": .members([:], optional: ["place": .text, "problem": .text]),
        "Prune": .members(
            [
                "dry_run": .flag, "bytes": .count, "cached_bytes": .count, "problems": .list(of: .text),
                "items": .list(
                    of: .members([
                        "kind": .choice(of: PruneItem.Kind.allCases.map(\.rawValue)), "count": .positive,
                        "bytes": .count,
                        "cached_bytes": .count,
                    ])
                ),
            ],
            optional: ["cache_command": .text]
        ),
        "Server": .members(
            [
                "pid": .positive, "started_at": .time, "version": .text, "home": .text, "host": .text, "port": .count,
                "operator_port": .count,
            ],
            optional: ["process_start": .text, "tls_port": .count, "chaining_address": .text, "shutting_down": .flag]
        ),
        "Token": .members(["name": .text, "created_at": .time, "revoked_at": .nullable(.time)]),
        "TokenSecret": .members(["name": .text, "token": .text]),
    ]

    private static let statistics: JSONValue = .members(
        ["code_2xx": .count, "code_4xx": .count, "code_5xx": .count],
        optional: ["latency": .number]
    )

    private static let networking: JSONValue = .members(
        [
            "endpoint": .text, "timeout": .text, "max_body_size": .count, "allow_origins": .list(of: .text),
            "api_keys": .list(of: .anyObject),
        ],
        optional: ["local_port": .positive, "api_gateway": .choice(of: APIGateway.allCases.map(\.rawValue))]
    )

    /// Inputs or outputs of a model by name; in a shape, null is a size without a name.
    private static let tensors: JSONValue = [
        "type": "object",
        "additionalProperties": .members([
            "shape": ["type": "array", "items": ["type": ["integer", "string", "null"]]], "type": .text,
        ]),
    ]

    private static let spec: JSONValue = .members(
        [
            "name": .text, "kind": .choice(of: [APIKind.realtime.rawValue]), "predictor": Self.predictor,
            "networking": Self.networking,
            "compute": .members(["gpu": .count, "inf": .count], optional: ["cpu": .text, "mem": .text]),
            "autoscaling": Self.autoscaling,
            "update_strategy": .members(["max_surge": .text, "max_unavailable": .text]),
            "readiness": .members([:], optional: ["sample": .text]),
        ],
        optional: [
            "monitoring": .members(
                ["model_type": .choice(of: MonitoringSpec.ModelType.allCases.map(\.rawValue))],
                optional: ["key": .text]
            )
        ]
    )

    private static let autoscaling: JSONValue = .members(
        [
            "min_replicas": .count, "max_replicas": .positive, "init_replicas": .count,
            "max_replica_concurrency": .positive, "window": .text, "downscale_stabilization_period": .text,
            "upscale_stabilization_period": .text, "max_downscale_factor": .number, "max_upscale_factor": .number,
            "downscale_tolerance": .number, "upscale_tolerance": .number,
        ],
        optional: ["target_replica_concurrency": .number]
    )

    private static let predictor: JSONValue = .members(
        [
            "type": .choice(of: PredictorType.allCases.map(\.rawValue)), "path": .text, "config": .anyObject,
            "env": .texts, "processes_per_replica": .positive, "threads_per_process": .positive,
        ],
        optional: [
            "python_path": .text, "model_path": .text, "signature_key": .text, "image": .text,
            "tensorflow_serving_image": .text,
            "server_side_batching": .members(["max_batch_size": .positive, "batch_interval": .text]),
            "models": .members(
                [
                    "paths": .list(
                        of: .members(["name": .text, "model_path": .text], optional: ["signature_key": .text])
                    )
                ],
                optional: [
                    "dir": .text, "signature_key": .text, "cache_size": .positive, "disk_cache_size": .positive,
                    "cache_memory": .count,
                ]
            ),
        ]
    )
}
