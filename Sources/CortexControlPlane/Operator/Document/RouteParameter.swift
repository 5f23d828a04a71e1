import CortexSpec
import Hummingbird

/// A parameter of a route, as the document tells it.
struct RouteParameter: Sendable {
    enum Place: String, Sendable {
        case path, query
    }

    let name: String
    let place: Place
    let summary: String
    let schema: JSONValue

    var document: JSONValue {
        [
            "name": .string(self.name), "in": .string(self.place.rawValue), "required": .bool(self.place == .path),
            "description": .string(self.summary), "schema": self.schema,
        ]
    }

    static let apiName = RouteParameter(
        name: "name",
        place: .path,
        summary: "the API's name",
        schema: ["type": "string", "minLength": 1]
    )
    static let tokenName = RouteParameter(
        name: "name",
        place: .path,
        summary: "the token's name",
        schema: ["type": "string", "minLength": 1]
    )
    static let projectHash = RouteParameter(
        name: "hash",
        place: .path,
        summary: "the project's content hash",
        schema: OperatorSchemas.hash
    )
}

/// A whole number in the query: what the document tells of it, and how it is read.
struct NumberParameter: Sendable {
    let name: String
    let summary: String
    let standard: Int
    let allowed: ClosedRange<Int>

    var documented: RouteParameter {
        let schema: JSONValue = [
            "type": "integer", "minimum": .int(Int64(self.allowed.lowerBound)),
            "maximum": .int(Int64(self.allowed.upperBound)), "default": .int(Int64(self.standard)),
        ]
        return RouteParameter(name: self.name, place: .query, summary: self.summary, schema: schema)
    }

    func value(in request: Request) throws -> Int {
        guard let text = request.uri.queryParameters[self.name[...]] else { return self.standard }
        guard let number = Int(text), self.allowed.contains(number), text.first != "+" else {
            throw OperatorError.malformed(
                "\(self.name) is \"\(text.prefix(40))\"; "
                    + "allowed are \(self.allowed.lowerBound) to \(self.allowed.upperBound)"
            )
        }
        return number
    }
}

/// `true` or `false` in the query; false where it is not given.
struct FlagParameter: Sendable {
    let name: String
    let summary: String

    var documented: RouteParameter {
        let schema: JSONValue = ["type": "boolean", "default": false]
        return RouteParameter(name: self.name, place: .query, summary: self.summary, schema: schema)
    }

    func value(in request: Request) throws -> Bool {
        guard let text = request.uri.queryParameters[self.name[...]] else { return false }
        guard let value = Bool(String(text)) else {
            throw OperatorError.malformed("\(self.name) is \"\(text.prefix(40))\"; allowed are true and false")
        }
        return value
    }
}
