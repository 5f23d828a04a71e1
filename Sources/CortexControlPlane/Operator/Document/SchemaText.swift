import CortexSpec

/// Shorthands for the JSON Schemas of the operator's bodies.
extension JSONValue {
    static let text: JSONValue = ["type": "string"]
    static let count: JSONValue = ["type": "integer", "minimum": 0]
    static let positive: JSONValue = ["type": "integer", "minimum": 1]
    static let number: JSONValue = ["type": "number"]
    static let flag: JSONValue = ["type": "boolean"]
    static let time: JSONValue = ["type": "string", "format": "date-time"]
    /// Any JSON object, the user's own.
    static let anyObject: JSONValue = ["type": "object"]
    static let texts: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]

    static func list(of items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

    static func choice(of words: [String]) -> JSONValue {
        ["type": "string", "enum": .array(words.map { .string($0) })]
    }

    static func nullable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["type": "null"]]] }

    /// An object with exactly these members.
    static func members(_ required: [String: JSONValue], optional: [String: JSONValue] = [:]) -> JSONValue {
        [
            "type": "object",
            "properties": .object(required.merging(optional) { first, _ in first }),
            "required": .array(required.keys.sorted().map { .string($0) }),
            "additionalProperties": false,
        ]
    }
}
