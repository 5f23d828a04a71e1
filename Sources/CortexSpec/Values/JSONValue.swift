/// Any JSON value, as `predictor.config` holds them.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension CodingUserInfoKey {
    /// Set (to true) where `1.0` has to come back as `1.0`: Foundation writes it as `1`, which Python reads as an integer.
    package static let exactNumbers = CodingUserInfoKey(rawValue: "cortex.exact-numbers")
}

extension JSONValue: Codable {
    /// The only key of the object that stands for a number which plain JSON of Foundation's would change.
    private static let exactKey = "$double"

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            let members = try container.decode([String: JSONValue].self)
            if Self.isExact(decoder.userInfo), members.count == 1, case .string(let text) = members[Self.exactKey],
                let number = Double(text)
            {
                self = .double(number)
            } else {
                self = .object(members)
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value) where Self.isExact(encoder.userInfo): try container.encode([Self.exactKey: "\(value)"])
        // JSON has no word for them; a reader of listings is served best by Python's.
        case .double(let value) where !value.isFinite: try container.encode(self.text)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    private static func isExact(_ userInfo: [CodingUserInfoKey: Any]) -> Bool {
        CodingUserInfoKey.exactNumbers.flatMap { userInfo[$0] as? Bool } ?? false
    }

    /// A number as Python's `json` writes and reads it: `1.0`, `1e+22`, `Infinity`, `NaN`; empty for what is none.
    package var text: String {
        switch self {
        case .int(let value): "\(value)"
        case .double(let value) where value.isNaN: "NaN"
        case .double(let value) where value.isInfinite: value < 0 ? "-Infinity" : "Infinity"
        case .double(let value): "\(value)"
        case .null, .bool, .string, .array, .object: ""
        }
    }
}
