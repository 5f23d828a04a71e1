/// A number of bytes.
package struct ByteCount: Hashable, Comparable, Sendable {
    package var bytes: Int64

    package init(_ bytes: Int64) {
        self.bytes = bytes
    }

    package static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 20) }
    package static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 30) }

    /// Reads a Kubernetes quantity (`512Mi`, `1G`, `2147483648`, `129e6`), rounded up; nil for anything else.
    package init?(quantity: String) {
        guard let bytes = Quantity(quantity)?.scaled(by: 0) else { return nil }
        self.bytes = bytes
    }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.bytes < rhs.bytes }
}

extension ByteCount: CustomStringConvertible {
    /// The shortest exact quantity: `512Mi`, or the plain number.
    package var description: String {
        for (suffix, shift) in [("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] as [(String, Int64)] {
            let unit = Int64(1) << shift
            if self.bytes != 0, self.bytes % unit == 0 { return "\(self.bytes / unit)\(suffix)" }
        }
        return "\(self.bytes)"
    }
}

extension ByteCount: Codable {
    package init(from decoder: any Decoder) throws {
        self.bytes = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.bytes)
    }
}
