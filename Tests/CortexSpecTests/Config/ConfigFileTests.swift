import CortexSpec
import Foundation
import Testing

@Suite struct ConfigFileTests {
    @Test func `a short file gets every default`() throws {
        let config = try Sample.parse(
            """
            - name: iris
              kind: RealtimeAPI
              predictor:
                type: python
                path: ./predictor.py
            """
        )
        let expected = try #require(APIName("iris"))
        #expect(
            config.apis == [
                APISpec(
                    name: expected,
                    predictor: PredictorSpec(path: "predictor.py"),
                    networking: NetworkingSpec(endpoint: "/iris")
                )
            ]
        )
        #expect(config.warnings.isEmpty)
        #expect(config.splitters.isEmpty)
    }

    @Test(arguments: [
        ("predictr.py", "predictor.py"), ("src/Predictor.py", "src/predictor.py"), ("my-model.py", "my_model.py"),
        ("deep/down/handler.py", "other/handler.py"), ("nothing.py", nil),
    ])
    func `a path that is missing names the file that was meant`(path: String, meant: String?) throws {
        let text = "{name: iris, kind: RealtimeAPI, predictor: {type: python, path: \(path)}}"
        let files = ["my_model.py", "other/handler.py", "predictor.py", "src/predictor.py"]
        let error = #expect(throws: SpecError.self) {
            try ConfigFile.parse(text, fileName: "cortex.yaml", files: { files }, project: { _ in .missing })
        }
        #expect(error?.problems.first?.hint == meant.map { "did you mean \($0)?" })
    }

    @Test func `every key is read`() throws {
        let config = try Sample.parse(Self.everything, features: .all)
        let api = try #require(config.apis.first)
        #expect(api.networking.endpoint == "/Flowers/iris.v1")
        #expect(api.networking.timeout == .seconds(90))
        #expect(api.networking.maxBodySize == .mebibytes(64))
        #expect(api.networking.allowedOrigins == ["https://example.com"])
        #expect(api.networking.apiKeys == [.environment("KEY"), .file("/run/key")])
        #expect(api.predictor.path == "src/predictor.py")
        #expect(api.predictor.pythonPath == "lib")
        #expect(api.predictor.env == ["PORT": "80", "FLAG": "on", "OCTAL": "0777", "EMPTY": ""])
        #expect(
            api.predictor.config == [
                "rate": .double(0.5), "count": .int(511), "yes": .bool(true), "none": .null,
                "list": .array([.int(1), .string("2")]),
                "base": .object(["x": .int(1), "y": .int(2)]), "merged": .object(["x": .int(1), "y": .int(3)]),
            ]
        )
        #expect(api.predictor.models?.paths.map(\.modelPath) == ["s3://bucket/a/", "s3://bucket/b/"])
        #expect(api.predictor.models?.cacheSize == 1)
        #expect(api.predictor.serverSideBatching == BatchingSpec(maxBatchSize: 4, batchInterval: .milliseconds(20)))
        #expect(api.compute.cpuQuantity == CPUQuantity(millicores: 1500))
        #expect(api.compute.memory == .gibibytes(2))
        #expect(api.autoscaling.minReplicas == 0)
        #expect(api.autoscaling.initReplicas == 0)
        #expect(api.autoscaling.targetReplicaConcurrency == 2)
        #expect(api.autoscaling.window == .seconds(120))
        #expect(api.updateStrategy.surge == .count(1))
        #expect(api.readiness.sample == "sample.json")
        #expect(api.monitoring == MonitoringSpec(modelType: .regression))
        let splitter = try #require(config.splitters.first)
        #expect(splitter.networking.endpoint == "/split")
        #expect(splitter.apis.map(\.weight) == [100, 20])
        #expect(splitter.apis.map(\.shadow) == [false, true])
    }

    @Test func `what does nothing here is warned of once each`() throws {
        let config = try Sample.parse(
            """
            name: iris
            kind: RealtimeAPI
            predictor: {type: python, path: predictor.py, image: python:3.11, tensorflow_serving_image: a/b}
            networking: {local_port: 8888, api_gateway: public}
            compute: {cpu: 1, mem: null}
            monitoring: {model_type: regression}
            autoscaling: {max_replicas: 4, window: 30s, max_replica_concurrency: 8}
            """
        )
        #expect(config.apis.first?.autoscaling.maxReplicaConcurrency == 8)
        #expect(
            config.warnings.map(\.description)
                == [
                    "3:47: warning: iris: predictor.image: has no effect: workers run in an environment made for the project",
                    "3:67: warning: iris: predictor.tensorflow_serving_image: has no effect: it is for type tensorflow",
                    "4:14: warning: iris: networking.local_port: has no effect: all APIs answer on the server's port",
                    "4:32: warning: iris: networking.api_gateway: has no effect: there is no API Gateway here",
                    "6:1: warning: iris: monitoring: has no effect: predictions are not recorded; count them with metrics_client",
                ].map { "cortex.yaml:" + $0 }
        )
    }

    @Test(arguments: ["", "\u{FEFF}"], ["\n", "\r\n"])
    func `marks and line ends of other systems are read`(mark: String, end: String) throws {
        let lines = [
            "---", "- name: iris", "  kind: RealtimeAPI", "  predictor: {type: python, path: predictor.py}", "...",
        ]
        #expect(try Sample.parse(mark + lines.joined(separator: end) + end).apis.count == 1)
    }

    @Test func `only what a worker is started from is in its identity`() throws {
        let spec = try #require(
            try Sample.parse("{name: a, kind: RealtimeAPI, predictor: {type: python, path: predictor.py}}").apis.first
        )
        var other = spec
        other.autoscaling.maxReplicaConcurrency = 1
        other.networking.endpoint = "/b"
        #expect(try other.workerIdentity == spec.workerIdentity)
        #expect(try other.identity != spec.identity)
        other.predictor.env = ["A": "1", "B": "2", "C": "3"]
        #expect(try other.workerIdentity != spec.workerIdentity)
        #expect(try other.workerIdentity == other.workerIdentity)
    }

    @Test func `a spec survives being stored`() throws {
        let config = try Sample.parse(Self.everything, features: .all)
        let data = try JSONEncoder().encode(config.apis)
        #expect(try JSONDecoder().decode([APISpec].self, from: data) == config.apis)
    }

    private static let everything = """
        - name: iris
          kind: RealtimeAPI
          predictor:
            type: tensorflow
            path: ./src//predictor.py
            python_path: ./lib/
            models:
              paths:
                - {name: a, model_path: s3://bucket/a}
                - {name: b, path: s3://bucket/b/}
              signature_key: predict
              cache_size: 1
              disk_cache_size: 2
            server_side_batching: {max_batch_size: 4, batch_interval: 20ms}
            threads_per_process: 4
            config:
              rate: 5e-1
              count: 0777
              "yes": yes
              none:
              list: [1, "2"]
              base: &base {x: 1, y: 2}
              merged: {y: 3, <<: *base}
            env: {PORT: 80, FLAG: on, OCTAL: 0777, EMPTY: ""}
          networking:
            endpoint: Flowers/iris.v1/
            timeout: 1m30s
            max_body_size: 64Mi
            cors: {allow_origins: ["https://example.com"]}
            api_keys: [{env: KEY}, {file: /run/key}]
          compute: {cpu: 1.5, mem: 2147483648}
          autoscaling: {min_replicas: 0, target_replica_concurrency: 2, window: 2m}
          update_strategy: {max_surge: 1, max_unavailable: 0}
          readiness: {sample: sample.json}
          monitoring: {model_type: regression}
        - name: split
          kind: TrafficSplitter
          apis:
            - {name: iris, weight: 100}
            - {name: shadow, weight: 20, shadow: true}
        """
}
