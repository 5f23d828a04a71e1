import CortexSpec
import Foundation

/// As much of JSON Schema as the operator's document uses; an unknown keyword is an error, so that none goes unchecked.
struct SchemaCheck {
    /// The document that references lead into.
    let document: JSONValue

    /// What is wrong with a value, each with its path; empty where it is as the schema says.
    func problems(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        guard case .object(let keywords) = schema else { return ["\(path): the schema is no object"] }
        return keywords.flatMap { self.check($0.key, $0.value, of: schema, value, at: path) }
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        of schema: JSONValue,
        _ value: JSONValue,
        at path: String
    ) -> [String] {
        switch (keyword, argument, value) {
        case ("$ref", .string(let reference), _):
            guard let target = self.target(of: reference) else { return ["\(path): nothing at \(reference)"] }
            return self.problems(value, target, at: path)
        case ("anyOf", .array(let choices), _):
            let isOne = choices.contains { self.problems(value, $0, at: path).isEmpty }
            return isOne ? [] : ["\(path): is none of the choices"]
        case ("type", .string(let type), _): return Self.type(of: value).contains(type) ? [] : ["\(path): no \(type)"]
        case ("enum", .array(let words), _): return words.contains(value) ? [] : ["\(path): \(value) is no choice"]
        case ("minimum", .int(let bound), .int(let number)): return number >= bound ? [] : ["\(path): too small"]
        case ("pattern", .string(let pattern), .string(let text)):
            return text.range(of: pattern, options: .regularExpression) != nil ? [] : ["\(path): \(text)"]
        case ("format", "date-time", .string(let text)):
            return (try? Date(text, strategy: .iso8601)) != nil ? [] : ["\(path): \(text) is no time"]
        case ("items", _, .array(let items)):
            return items.enumerated().flatMap { self.problems($1, argument, at: "\(path)[\($0)]") }
        case ("required", .array(let names), .object(let members)):
            return names.filter { name in !members.keys.contains { name == .string($0) } }.map { "\(path): no \($0)" }
        case ("properties", .object(let properties), .object(let members)):
            return members.flatMap { name, member in
                properties[name].map { self.problems(member, $0, at: "\(path).\(name)") } ?? []
            }
        case ("additionalProperties", false, .object(let members)):
            return members.keys.filter { schema["properties"]?[$0] == nil }.map { "\(path): unknown \($0)" }
        case ("additionalProperties", .object, .object(let members)):
            return members.flatMap { self.problems($1, argument, at: "\(path).\($0)") }
        case ("minimum", _, _), ("pattern", _, _), ("format", _, _), ("items", _, _), ("required", _, _),
            ("properties", _, _), ("additionalProperties", _, _), ("description", _, _), ("default", _, _):
            return []
        default: return ["\(path): the keyword \(keyword) is not checked"]
        }
    }

    private func target(of reference: String) -> JSONValue? {
        var target: JSONValue? = self.document
        for step in reference.split(separator: "/").dropFirst() { target = target?[String(step)] }
        return target
    }

    private static func type(of value: JSONValue) -> Set<String> {
        switch value {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .int: ["integer", "number"]
        case .double: ["number"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        }
    }
}
