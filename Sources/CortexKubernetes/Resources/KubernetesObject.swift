package import CortexSpec
package import Foundation

/// Any object of a cluster, as its API server speaks of it.
///
/// What Cortex does not know of it stays as it is: an object can be read by one release and written by another.
package struct KubernetesObject: Hashable, Sendable {
    package var json: JSONValue

    package init(_ json: JSONValue) {
        self.json = json
    }

    /// What stands at a path of keys; nil where nothing does.
    package subscript(path: String...) -> JSONValue? {
        get { self.json.value(at: path[...]) }
        set { self.json.set(newValue, at: path[...]) }
    }

    package var apiVersion: String { self["apiVersion"]?.string ?? "" }
    package var kind: String { self["kind"]?.string ?? "" }
    package var name: String { self["metadata", "name"]?.string ?? "" }
    package var namespace: String? { self["metadata", "namespace"]?.string }
    package var uid: String? { self["metadata", "uid"]?.string }
    package var resourceVersion: String? { self["metadata", "resourceVersion"]?.string }
    /// Counts the changes of `spec`.
    package var generation: Int? { self["metadata", "generation"]?.int }
    package var labels: [String: String] { self["metadata", "labels"]?.texts ?? [:] }
    package var annotations: [String: String] { self["metadata", "annotations"]?.texts ?? [:] }
    /// Whether somebody has asked for its end.
    package var isBeingDeleted: Bool { self["metadata", "deletionTimestamp"] != nil }
    package var createdAt: Date? { self["metadata", "creationTimestamp"]?.date }
}

extension KubernetesObject: Codable {
    package init(from decoder: any Decoder) throws {
        self.json = try JSONValue(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        try self.json.encode(to: encoder)
    }
}

extension JSONValue {
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var int: Int? { if case .int(let value) = self { Int(value) } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

    /// The members of an object that are text.
    var texts: [String: String] { (self.object ?? [:]).compactMapValues(\.string) }

    /// A time as Kubernetes writes it, with or without parts of a second.
    package var date: Date? { self.string.flatMap(KubernetesTime.date) }

    func value(at path: ArraySlice<String>) -> JSONValue? {
        guard let key = path.first else { return self == .null ? nil : self }
        return self[key]?.value(at: path.dropFirst())
    }

    /// Objects on the way are made where they are missing; nil takes a member away.
    mutating func set(_ value: JSONValue?, at path: ArraySlice<String>) {
        guard let key = path.first else {
            self = value ?? .null
            return
        }
        var members = self.object ?? [:]
        if path.count == 1 {
            members[key] = value
        } else {
            var member = members[key] ?? [:]
            member.set(value, at: path.dropFirst())
            members[key] = member
        }
        self = .object(members)
    }

    /// A value of this program as JSON.
    package init(encoding value: some Encodable) throws {
        self = try KubernetesJSON.value(of: KubernetesJSON.encoder.encode(value))
    }

    /// The JSON as a value of this program.
    package func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try KubernetesJSON.decoder.decode(type, from: KubernetesJSON.encoder.encode(self))
    }
}
