/// The forms of values in `cortex.yaml`, as JSON Schemas.
extension JSONValue {
    /// Text; a number or boolean is taken as it is written, since only YAML makes it one.
    static let scalarText: JSONValue = ["type": ["string", "number", "boolean"]]
    static let fullText: JSONValue = ["type": ["string", "number", "boolean"], "minLength": 1]
    /// A Go duration; `0` needs no unit, and is a number to YAML.
    static let duration: JSONValue = [
        "anyOf": [
            [
                "type": "string",
                "pattern": #"^[+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"#,
            ],
            ["const": 0],
        ]
    ]
    /// A Kubernetes quantity.
    static let quantity: JSONValue = [
        "type": ["string", "number"], "exclusiveMinimum": 0,
        "pattern": #"^[+]?([0-9]+\.?[0-9]*|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$"#,
    ]
    /// A count, or a percentage.
    static let countOrPercentage: JSONValue = ["type": ["string", "integer"], "minimum": 0, "pattern": "^[0-9]+%?$"]
    static let apiName: JSONValue = ["type": "string", "pattern": "^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$"]

    /// The schema, or null; where there is a type beside the rest, only that is widened, so that a validator goes on
    /// telling what in a section is wrong.
    var orNull: JSONValue {
        guard case .object(var members) = self else { return self }
        switch members["type"] {
        case .string(let type): members["type"] = [.string(type), "null"]
        case .array(let types): members["type"] = .array(types + ["null"])
        default: return ["anyOf": [self, ["type": "null"]]]
        }
        return .object(members)
    }

    static func integer(in range: ClosedRange<Int>) -> JSONValue {
        var schema: [String: JSONValue] = ["type": "integer", "minimum": .int(Int64(range.lowerBound))]
        if range.upperBound != .max { schema["maximum"] = .int(Int64(range.upperBound)) }
        return .object(schema)
    }
}
