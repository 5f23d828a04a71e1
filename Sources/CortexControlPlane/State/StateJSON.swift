import CortexSpec
package import Foundation

/// The JSON of the control plane: sorted keys, so that equal values have equal texts, and times as RFC 3339.
package enum StateJSON {
    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    /// For specs in the store, whose numbers must come back as they were written.
    package static func specEncoder() -> JSONEncoder {
        let encoder = self.encoder()
        if let exact = CodingUserInfoKey.exactNumbers { encoder.userInfo[exact] = true }
        return encoder
    }

    package static func specDecoder() -> JSONDecoder {
        let decoder = self.decoder()
        if let exact = CodingUserInfoKey.exactNumbers { decoder.userInfo[exact] = true }
        return decoder
    }
}
