import CortexControlPlane
import CortexKubernetes
import Foundation

/// A user's token for an installation.
struct ClusterToken: Hashable, Sendable {
    /// Who it is of; deploys are recorded under this name.
    var name: String
    var secret: String

    /// A new one.
    init(name: String) {
        self.name = name
        self.secret = TokenSecret.make()
    }

    init(name: String, secret: String) {
        self.name = name
        self.secret = secret
    }

    /// SHA-256 of the secret, in hex: all that the cluster keeps.
    var digest: String {
        TokenSecret.digest(self.secret).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    /// `USER.HOST`, as a name of a token may be.
    static func userName(environment: [String: String], host: String = ProcessInfo.processInfo.hostName) -> String {
        let user = environment["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? NSUserName()
        let parts = [user.isEmpty ? "user" : user, String(host.prefix { $0 != "." })]
        let legal = parts.joined(separator: ".").map { character in
            character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
                ? character : "-"
        }
        return String(legal.prefix(64))
    }

    /// The name under which it is known.
    static func name(of secret: String, in tokens: KubernetesObject?) -> String? {
        guard let tokens else { return nil }
        let digest = ClusterToken(name: "", secret: secret).digest
        return Installation.tokens(of: tokens).first { $0.value.digest == digest && $0.value.revokedAt == nil }?.key
    }

    /// The field manager of this user's entry, so that those of others stay.
    var manager: String { "cortex-token-\(self.name)" }
}
