import CortexControlPlane
import CortexSpec
import Foundation

/// The configuration of an API or splitter with its defaults, as a page shows it.
enum APIConfiguration {
    /// Keys of `networking` that have a value already and cannot be set before their feature is there.
    private static let ahead: [(feature: ReleaseFeatures.Feature, key: String)] = [
        (.requestTimeout, "timeout"), (.maxBodySize, "max_body_size"), (.cors, "cors"), (.apiKeys, "api_keys"),
    ]

    /// Indented YAML under a heading; what it shows may be put into a `cortex.yaml`.
    static func text(of spec: ResourceSpec, features: ReleaseFeatures = .current) throws -> String {
        let data = try StateJSON.specEncoder().encode(spec)
        let stored = try StateJSON.specDecoder().decode(JSONValue.self, from: data)
        let value = self.settable(stored, spec, features)
        return "configuration\n" + YAMLText.render(.array([value]), first: ["name", "kind"], indent: 2)
    }

    /// With the keys of a `cortex.yaml`, where a stored row has others.
    private static func settable(
        _ value: JSONValue,
        _ spec: ResourceSpec,
        _ features: ReleaseFeatures
    ) -> JSONValue {
        guard case .object(var members) = value, case .object(var networking)? = members["networking"] else {
            return value
        }
        networking["allow_origins"] = nil
        networking["cors"] = .object(["allow_origins": .array(spec.networking.allowedOrigins.map { .string($0) })])
        networking["api_keys"] = .array(spec.networking.apiKeys.map { self.text(of: $0) })
        // Those of its APIs hold for what a splitter leads to them.
        for key in ["timeout", "max_body_size"] where spec.kind == .trafficSplitter { networking[key] = nil }
        for (feature, key) in self.ahead where features.pending.contains(feature) { networking[key] = nil }
        members["networking"] = .object(networking)
        return .object(members)
    }

    private static func text(of reference: SecretReference) -> JSONValue {
        switch reference {
        case .environment(let variable): .object(["env": .string(variable)])
        case .file(let path): .object(["file": .string(path)])
        }
    }
}
