/// The JSON Schema (draft 2020-12) of `cortex.yaml`, for editors.
///
/// It is made by the readers themselves, so that it knows a key exactly where they do. It tells forms, bounds and
/// names; what depends on several keys, or on the project's files, is for `cortex validate` to tell.
package enum ConfigSchema {
    /// The schema of the whole file: a list of APIs, or one API.
    package static let document: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cortex.yaml",
        "if": ["type": "array"],
        "then": ["items": ["$ref": "#/$defs/item"], "minItems": 1],
        "else": ["$ref": "#/$defs/item"],
        "$defs": [
            "item": [
                "type": "object",
                "required": ["name", "kind"],
                "properties": ["kind": ["enum": .array(APIKind.allCases.map { .string($0.rawValue) })]],
                "if": ["properties": ["kind": ["const": .string(APIKind.trafficSplitter.rawValue)]]],
                "then": ["$ref": "#/$defs/TrafficSplitter"],
                "else": ["$ref": "#/$defs/RealtimeAPI"],
            ],
            "RealtimeAPI": Self.shape(of: .realtime).schema(),
            "TrafficSplitter": Self.shape(of: .trafficSplitter).schema(),
        ],
    ]

    /// Sections of a `RealtimeAPI` by the keys that they have, sorted by their paths.
    static let homes: [String: [String]] = {
        var homes: [String: [String]] = [:]
        for (path, keys) in Self.shape(of: .realtime).sections().sorted(by: { $0.key < $1.key }) where !path.isEmpty {
            for key in keys { homes[key, default: []].append(path) }
        }
        return homes
    }()

    private static func shape(of kind: APIKind) -> SectionShape {
        let shape = SectionShape()
        let section = Section(noting: shape)
        ResourceReader.note(kind, of: section)
        return shape
    }
}
