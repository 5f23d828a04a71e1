/// The name of an API: a DNS label (RFC 1035, a letter first), at most 42 long.
///
/// It becomes part of host names (`api-<name>`), of Kubernetes resource names, of metric labels and of folder names,
/// so no other spelling can exist.
package struct APIName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let description: String

    /// Fails where `text` is not such a label.
    package init?(_ text: String) {
        let legal = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard
            legal, (1...42).contains(text.utf8.count), let first = text.utf8.first, (0x61...0x7A).contains(first),
            text.utf8.last != 0x2D
        else { return nil }
        self.description = text
    }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.description < rhs.description }
}

extension APIName: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let name = APIName(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not an API name")
        }
        self = name
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
