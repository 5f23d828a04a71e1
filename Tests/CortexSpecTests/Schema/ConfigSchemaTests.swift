import CortexSpec
import Testing

/// The schema for editors knows what the readers know; that it accepts and refuses as a validator reads it is tested
/// from outside, with a validator.
@Suite struct ConfigSchemaTests {
    /// Every key of the schema by its section: `networking.cors.allow_origins`, `predictor.models.paths[].name`.
    private static func keys(of schema: JSONValue?, path: String = "") -> [String] {
        guard case .object(let properties)? = schema?["properties"] else {
            return schema?["items"].map { Self.keys(of: $0, path: "\(path)[]") } ?? []
        }
        return properties.flatMap { key, value in
            let key = path.isEmpty ? key : "\(path).\(key)"
            return [key] + Self.keys(of: value, path: key)
        }
    }

    private static func schema(of kind: String) -> JSONValue? { ConfigSchema.document["$defs"]?[kind] }

    @Test func `it has each key of an API once`() {
        let keys = Self.keys(of: Self.schema(of: "RealtimeAPI"))
        #expect(Set(keys).count == keys.count)
        #expect(
            keys.filter { !$0.contains(".") }.sorted() == [
                "autoscaling", "compute", "kind", "monitoring", "name", "networking", "predictor", "readiness",
                "update_strategy",
            ]
        )
        for key in [
            "predictor.type", "predictor.models.paths[].model_path", "predictor.models.paths[].path",
            "predictor.models.dir", "predictor.server_side_batching.batch_interval", "predictor.env",
            "predictor.config", "networking.endpoint", "networking.cors.allow_origins", "networking.api_keys[].env",
            "compute.cpu", "compute.mem", "autoscaling.window", "update_strategy.max_surge", "readiness.sample",
            "monitoring.model_type",
        ] {
            #expect(keys.contains(key), "\(key)")
        }
        #expect(Self.keys(of: Self.schema(of: "TrafficSplitter")).contains("apis[].shadow"))
    }

    /// A reader that is given the key alone may find much wrong with it, but not that it does not know it.
    @Test func `each key of the schema is known to the reader of its section`() {
        for kind in ["RealtimeAPI", "TrafficSplitter"] {
            for key in Self.keys(of: Self.schema(of: kind)) {
                var text = "true"
                for step in key.split(separator: ".").reversed() {
                    text =
                        step.hasSuffix("[]") ? "{\(step.dropLast(2)): [\(text)]}" : "{\(step): \(text)}"
                }
                // The section's own keys go beside those that make it an item of this kind.
                let item = "{name: a, kind: \(kind), " + text.dropFirst()
                let problems = Sample.problems(key == "name" || key == "kind" ? "{}" : item, features: .all)
                #expect(!problems.contains { $0.contains("unknown key") }, "\(key): \(problems)")
            }
        }
    }

    @Test func `bounds, choices and requirements are those of the readers`() {
        let api = Self.schema(of: "RealtimeAPI")?["properties"]
        let predictor = api?["predictor"]
        #expect(predictor?["required"] == ["path", "type"])
        #expect(predictor?["additionalProperties"] == false)
        #expect(predictor?["properties"]?["type"]?["enum"] == ["python", "tensorflow", "onnx"])
        #expect(predictor?["properties"]?["processes_per_replica"]?["maximum"] == 100)
        #expect(predictor?["properties"]?["models"]?["$comment"] == nil)
        #expect(predictor?["properties"]?["server_side_batching"]?["$comment"] == "not supported yet")
        #expect(api?["autoscaling"]?["type"] == ["object", "null"])
        #expect(api?["autoscaling"]?["properties"]?["max_upscale_factor"]?["exclusiveMinimum"] == 1.0)
    }
}
