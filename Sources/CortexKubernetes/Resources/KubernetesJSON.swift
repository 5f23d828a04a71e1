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
}

/// Times as Kubernetes writes them.
package enum KubernetesTime {
    /// `2026-01-31T12:00:00Z`, or with parts of a second.
    package static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601)) ?? (try? Date(text, strategy: Self.exact))
    }

    /// With microseconds, as leases have them.
    package static func text(_ date: Date) -> String { date.formatted(Self.exact) }

    private static let exact = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
