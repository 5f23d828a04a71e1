/// The number of a model's version: the name of a folder such as `models/iris/3`.
package struct ModelVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Below 2^63.
    package let number: UInt64

    /// The version that a model without versions has.
    package static let unversioned = ModelVersion(1)

    private init(_ number: UInt64) {
        self.number = number
    }

    /// Fails where the name is not `0`, or digits without a leading zero, below 2^63: one version has one spelling.
    package init?(folderName: some StringProtocol) {
        guard
            folderName.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(folderName),
            number <= UInt64(Int64.max), folderName.utf8.count == 1 || folderName.utf8.first != 0x30
        else { return nil }
        self.number = number
    }

    package var description: String { String(self.number) }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.number < rhs.number }
}

extension ModelVersion: Codable, CodingKeyRepresentable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let version = ModelVersion(folderName: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not a model's version")
        }
        self = version
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }

    package var codingKey: any CodingKey { VersionKey(stringValue: self.description) }

    package init?(codingKey: some CodingKey) {
        self.init(folderName: codingKey.stringValue)
    }

    private struct VersionKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) { nil }
    }
}
