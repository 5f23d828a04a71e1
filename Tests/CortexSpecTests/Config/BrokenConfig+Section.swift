extension BrokenConfig {
    /// Configs with problems in the other sections.
    static let sectionCases: [BrokenConfig] = [
        .api(
            "an endpoint with a space",
            "networking: {endpoint: /my api}",
            [
                #"6:26: iris: networking.endpoint: "/my api" holds " "; letters, digits, - _ . and / are allowed"#
            ]
        ),
        .api(
            "an endpoint with //",
            "networking: {endpoint: /a//b}",
            [
                #"6:26: iris: networking.endpoint: "/a//b" holds //; one / between segments"#
            ]
        ),
        .api(
            "the root as endpoint",
            "networking: {endpoint: /}",
            [
                #"6:26: iris: networking.endpoint: "/" is the root, which lists the APIs; give it at least one segment, such as /iris"#
            ]
        ),
        .api(
            "a reserved endpoint",
            "networking: {endpoint: v2/models}",
            [
                #"6:26: iris: networking.endpoint: "v2/models" begins with /v2, which the server keeps for itself; any first segment but docs, healthz, livez, metrics, openapi.json, ping, predict, readyz, v2"#
            ]
        ),
        .api(
            "an endpoint with ..",
            "networking: {endpoint: /a/../b}",
            [
                #"6:26: iris: networking.endpoint: "/a/../b" holds the segment . or ..; clients resolve these away; name the path itself"#
            ]
        ),
        .api(
            "a port that is none",
            "networking: {local_port: 70000}",
            [
                "6:28: iris: networking.local_port: is 70000; it must be a whole number from 1 to 65535"
            ]
        ),
        .api(
            "a gateway that does not exist",
            "networking: {api_gateway: private}",
            [
                #"6:29: iris: networking.api_gateway: is "private"; it must be public or none"#
            ]
        ),
        .api(
            "a body size of nothing",
            "networking: {timeout: 5m, max_body_size: 0}",
            [
                "6:44: iris: networking.max_body_size: is 0; it must be an amount of at least 1 and at most 1Pi, such as 512Mi, 2Gi, 1G or 2147483648"
            ]
        ),
        .api(
            "a body size beyond all",
            "networking: {max_body_size: 2Pi}",
            [
                "6:31: iris: networking.max_body_size: is 2Pi; it must be an amount of at least 1 and at most 1Pi, such as 512Mi, 2Gi, 1G or 2147483648"
            ]
        ),
        .api(
            "a key in a file of some folder",
            "networking: {api_keys: [{file: keys/iris}]}",
            [
                "6:34: iris: networking.api_keys[0].file: is the relative path keys/iris; name the file by its absolute path"
            ]
        ),
        .api(
            "a timeout too long",
            "networking: {timeout: 2h, cors: {allow_origins: [\"*\", example.com]}}",
            [
                "6:25: iris: networking.timeout: is 2h; it must be a duration over 0s, at most 1h, such as 500ms, 30s or 1m30s",
                #"6:57: iris: networking.cors.allow_origins[1]: is the text "example.com"; it must be * or an origin, such as https://example.com"#,
            ]
        ),
        .api(
            "a timeout without a unit",
            "networking: {timeout: 30}",
            [
                "6:25: iris: networking.timeout: is the number 30; it must be a duration over 0s, at most 1h, such as 500ms, 30s or 1m30s (give the unit: 30s)"
            ]
        ),
        .api(
            "keys in the open",
            "networking: {api_keys: [secret, {env: KEY, file: x}, {}]}",
            [
                #"6:27: iris: networking.api_keys[0]: is the text "secret"; it must be a map"#,
                "6:35: iris: networking.api_keys[1]: env stands beside file; each item is env: VARIABLE or file: path",
                "6:56: iris: networking.api_keys[2]: names no key; each item is env: VARIABLE or file: path",
            ]
        ),
        .api(
            "an empty compute",
            "compute:",
            [
                "6:3: iris: compute: is empty; it must be a map, or remove the key"
            ]
        ),
        .api(
            "a cpu of no known unit",
            "compute: {cpu: 200x}",
            [
                #"6:18: iris: compute.cpu: is "200x"; it must be an amount of at least 20m, such as 200m, 0.5 or 2"#
            ]
        ),
        .api(
            "a cpu too small",
            "compute: {cpu: 10m}",
            [
                #"6:18: iris: compute.cpu: is "10m"; it must be an amount of at least 20m, such as 200m, 0.5 or 2"#
            ]
        ),
        .api(
            "a memory of no known unit",
            "compute: {mem: 1gb}",
            [
                #"6:18: iris: compute.mem: is the text "1gb"; it must be an amount of at least 20Mi, such as 512Mi, 2Gi, 1G or 2147483648 (did you mean 1G?)"#
            ]
        ),
        .api(
            "a memory too small",
            "compute: {mem: 1000}",
            [
                "6:18: iris: compute.mem: is 1000; it must be an amount of at least 20Mi, such as 512Mi, 2Gi, 1G or 2147483648"
            ]
        ),
        .api(
            "a negative number of GPUs",
            "compute: {gpu: -1}",
            [
                "6:18: iris: compute.gpu: is -1; it must be a whole number at least 0"
            ]
        ),
        .api(
            "Inferentia beside a GPU",
            "compute: {gpu: 1, inf: 1}",
            [
                "6:26: iris: compute.inf: stands beside gpu; give one of the two"
            ]
        ),
        .api(
            "the least over the most",
            "autoscaling: {min_replicas: 5, max_replicas: 3}",
            [
                "6:31: iris: autoscaling.min_replicas: min_replicas 5 is over max_replicas 3; min_replicas must be at most max_replicas"
            ]
        ),
        .api(
            "a start over the most",
            "autoscaling: {max_replicas: 3, init_replicas: 4}",
            [
                "6:49: iris: autoscaling.init_replicas: is 4; it must be from min_replicas 1 to max_replicas 3"
            ]
        ),
        .api(
            "a concurrency beyond the bound",
            "autoscaling: {max_replica_concurrency: 30001}",
            [
                "6:42: iris: autoscaling.max_replica_concurrency: is 30001; it must be a whole number from 1 to 30000"
            ]
        ),
        .api(
            "a target over the bound",
            "autoscaling: {target_replica_concurrency: 10, max_replica_concurrency: 5}",
            [
                "6:45: iris: autoscaling.target_replica_concurrency: is over max_replica_concurrency 5; at most max_replica_concurrency"
            ]
        ),
        .api(
            "a window that is no multiple",
            "autoscaling: {window: 15s}",
            [
                "6:25: iris: autoscaling.window: is 15s; it must be a duration of at least 10s, a multiple of 10s, such as 500ms, 30s or 1m30s"
            ]
        ),
        .api(
            "a duration in words",
            "autoscaling: {window: 1 min}",
            [
                #"6:25: iris: autoscaling.window: is the text "1 min"; it must be a duration of at least 10s, a multiple of 10s, such as 500ms, 30s or 1m30s"#
            ]
        ),
        .api(
            "a negative duration",
            "autoscaling: {upscale_stabilization_period: -1s}",
            [
                "6:47: iris: autoscaling.upscale_stabilization_period: is -1s; it must be a duration of at least 0s, such as 500ms, 30s or 1m30s"
            ]
        ),
        .api(
            "factors out of bounds",
            """
            autoscaling:
              max_downscale_factor: 1
              max_upscale_factor: 1
              downscale_tolerance: -0.1
              upscale_tolerance: high
            """,
            [
                "7:27: iris: autoscaling.max_downscale_factor: is 1; it must be a number from 0 to less than 1",
                "8:25: iris: autoscaling.max_upscale_factor: is 1; it must be a number over 1",
                "9:26: iris: autoscaling.downscale_tolerance: is -0.1; it must be a number from 0 to less than 1",
                #"10:24: iris: autoscaling.upscale_tolerance: is the text "high"; it must be a number of at least 0"#,
            ]
        ),
        .api(
            "a key of a later version",
            "autoscaling: {target_in_flight: 3}",
            [
                #"6:17: iris: autoscaling: the key "target_in_flight" is of another version of Cortex; write it as target_replica_concurrency"#
            ]
        ),
        .api(
            "a surge that is none",
            "update_strategy: {max_surge: 101%, max_unavailable: -1}",
            [
                #"6:32: iris: update_strategy.max_surge: is the text "101%"; it must be a whole number, or a percentage from 0% to 100%"#,
                "6:55: iris: update_strategy.max_unavailable: is the number -1; it must be a whole number, or a percentage from 0% to 100%",
            ]
        ),
        .api(
            "nothing may change",
            "update_strategy: {max_surge: 0, max_unavailable: 0%}",
            [
                "6:52: iris: update_strategy.max_unavailable: is 0 as max_surge is; one of the two must be over 0, or no update could begin"
            ]
        ),
        .api(
            "a monitoring of no known type",
            "monitoring: {model_type: cluster}",
            [
                #"6:28: iris: monitoring.model_type: is "cluster"; it must be classification or regression"#
            ]
        ),
    ]
}
