import CortexSpec
package import Foundation

/// What only the parts of an installation and its users may know.
extension Installation {
    /// The token that operator, gateways and replicas know each other by.
    package func internalSecret(token: String) -> KubernetesObject {
        self.object(
            "v1",
            "Secret",
            CortexNames.internalSecret,
            ["type": "Opaque", "data": ["token": .string(Data(token.utf8).base64EncodedString())]]
        )
    }

    /// The token that is there already.
    package static func internalToken(of secret: KubernetesObject) -> String? {
        guard let text = secret["data", "token"]?.string, let data = Data(base64Encoded: text), !data.isEmpty else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// A user's token as the operator keeps it: its digest, under the user's name.
    package struct TokenEntry: Codable, Hashable, Sendable {
        /// SHA-256 of the secret, in hex.
        package var digest: String
        package var createdAt: Date
        package var revokedAt: Date?

        package init(digest: String, createdAt: Date) {
            self.digest = digest
            self.createdAt = createdAt
        }

        private enum CodingKeys: String, CodingKey {
            case digest
            case createdAt = "created_at"
            case revokedAt = "revoked_at"
        }
    }

    /// The secret of users' tokens with nobody's in it: whoever applies it takes away nothing.
    package var tokenSecret: KubernetesObject {
        self.object("v1", "Secret", CortexNames.tokenSecret, ["type": "Opaque"])
    }

    /// The same with one user's in it; to be applied under a field manager of that name, so that others keep theirs.
    package func tokenSecret(_ name: String, _ entry: TokenEntry) throws -> KubernetesObject {
        var secret = self.tokenSecret
        let data = try KubernetesJSON.encoder.encode(entry)
        secret["data"] = [name: .string(data.base64EncodedString())]
        return secret
    }

    /// The tokens of that secret, by name.
    package static func tokens(of secret: KubernetesObject) -> [String: TokenEntry] {
        (secret["data"]?.object ?? [:]).compactMapValues { value in
            guard let text = value.string, let data = Data(base64Encoded: text) else { return nil }
            return try? KubernetesJSON.decoder.decode(TokenEntry.self, from: data)
        }
    }
}
