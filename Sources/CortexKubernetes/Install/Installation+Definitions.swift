import CortexSpec
import Crypto
import Foundation

/// The custom resources' definitions: all of an installation that is the whole cluster's.
extension Installation {
    func definitions() throws -> [KubernetesObject] {
        [
            try self.definition(
                .realtimeAPIs,
                shortName: "rapi",
                schema: CustomResourceSchema.realtimeAPI,
                columns: [
                    Self.column("Status", ".status.message"),
                    Self.column("Ready", ".status.replicas.ready", type: "integer"),
                    Self.column("Requested", ".status.replicas.requested", type: "integer"),
                    Self.column("Version", ".status.version", type: "integer"),
                    Self.column("Endpoint", ".status.endpoint"),
                    Self.column("Reason", ".status.reason", isWide: true), Self.age,
                ]
            ),
            try self.definition(
                .trafficSplitters,
                shortName: "tsplit",
                schema: CustomResourceSchema.trafficSplitter,
                columns: [
                    Self.column("Status", ".status.message"),
                    Self.column("Version", ".status.version", type: "integer"),
                    Self.column("Endpoint", ".status.endpoint"),
                    Self.column("Reason", ".status.reason", isWide: true), Self.age,
                ]
            ),
        ]
    }

    /// The names of the definitions, as `kubectl` takes them.
    package static let definitionNames = [KubernetesResource.realtimeAPIs, .trafficSplitters].map {
        "\($0.plural).\($0.group)"
    }

    private func definition(
        _ resource: KubernetesResource,
        shortName: String,
        schema: JSONValue,
        columns: [JSONValue]
    ) throws -> KubernetesObject {
        let version: JSONValue = [
            "name": .string(resource.version), "served": true, "storage": true, "subresources": ["status": [:]],
            "schema": ["openAPIV3Schema": schema], "additionalPrinterColumns": .array(columns),
        ]
        let names: JSONValue = [
            "kind": .string(resource.kind), "listKind": .string("\(resource.kind)List"),
            "plural": .string(resource.plural), "singular": .string(resource.kind.lowercased()),
            "shortNames": [.string(shortName)], "categories": ["cortex"],
        ]
        let spec: JSONValue = [
            "group": .string(resource.group), "scope": "Namespaced", "names": names, "versions": [version],
        ]
        let metadata: JSONValue = [
            "name": .string("\(resource.plural).\(resource.group)"),
            "labels": .object(Self.labels.mapValues(JSONValue.string)),
            "annotations": [
                CortexNames.Annotation.version: .string(self.version),
                CortexNames.Annotation.applied: .string(try Self.digest(of: spec)),
            ],
        ]
        return KubernetesObject([
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
            "spec": spec,
        ])
    }

    /// The first digits of SHA-256, in hex.
    private static func digest(of value: JSONValue) throws -> String {
        SHA256.hash(data: try KubernetesJSON.encoder.encode(value)).prefix(5).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    private static let age: JSONValue = ["name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"]

    private static func column(
        _ name: String,
        _ path: String,
        type: String = "string",
        isWide: Bool = false
    ) -> JSONValue {
        var column: [String: JSONValue] = ["name": .string(name), "type": .string(type), "jsonPath": .string(path)]
        if isWide { column["priority"] = 1 }
        return .object(column)
    }
}
