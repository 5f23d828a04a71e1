package import CortexSpec
package import Foundation

/// JSON as it is exchanged with API servers: sorted keys, so that equal values have equal texts.
package enum KubernetesJSON {
    package static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    package static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    /// The value that a text is; throws where it is no JSON.
    package static func value(of bytes: some Sequence<UInt8>) throws -> JSONValue {
        try JSONParser.value(of: Array(bytes))
    }
}

/// Times as Kubernetes writes them.
package enum KubernetesTime {
    /// `2026-01-31T12:00:00Z`, or with parts of a second.
    package static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: Self.exact))
    }

    /// With microseconds, all six of them: leases take no other.
    package static func text(_ date: Date) -> String {
        let whole = date.timeIntervalSince1970.rounded(.down)
        let rest = Int((date.timeIntervalSince1970 - whole) * 1_000_000)
        let text = Date(timeIntervalSince1970: whole).formatted(.iso8601)
        return text.dropLast() + "." + String(repeating: "0", count: 6 - "\(rest)".count) + "\(rest)Z"
    }

    private static let exact = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
