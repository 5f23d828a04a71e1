/// The numbers that a key takes, as they are checked, told in words, and written in the schema.
enum NumberBounds: CustomStringConvertible {
    case over(Double)
    case atLeast(Double)
    /// From 0 to less than 1.
    case fraction

    func contains(_ value: Double) -> Bool {
        switch self {
        case .over(let bound): value > bound
        case .atLeast(let bound): value >= bound
        case .fraction: (0..<1).contains(value)
        }
    }

    var description: String {
        switch self {
        case .over(let bound): "over \(Self.text(bound))"
        case .atLeast(let bound): "of at least \(Self.text(bound))"
        case .fraction: "from 0 to less than 1"
        }
    }

    var schema: JSONValue {
        switch self {
        case .over(let bound): ["type": "number", "exclusiveMinimum": .double(bound)]
        case .atLeast(let bound): ["type": "number", "minimum": .double(bound)]
        case .fraction: ["type": "number", "minimum": 0, "exclusiveMaximum": 1]
        }
    }

    private static func text(_ bound: Double) -> String {
        Int(exactly: bound).map(String.init) ?? "\(bound)"
    }
}
