import Crypto
package import Foundation

/// Who may use the operator: named tokens, of which only digests are kept.
package protocol AccessTokens: Sendable {
    /// Makes a token and returns its secret, which cannot be had again; nil where one of that name is in force.
    func issue(_ name: String, at now: Date) async throws -> String?

    /// All tokens by name, those that have been revoked as well.
    func all() async throws -> [TokenRecord]

    /// Ends a token; false where there is none of that name in force.
    func revoke(_ name: String, at now: Date) async throws -> Bool

    /// The name of the token with this secret; nil where none is in force.
    func name(ofSecret secret: String) async throws -> String?
}

extension AccessTokens {
    package func issue(_ name: String) async throws -> String? { try await self.issue(name, at: Date()) }
    package func revoke(_ name: String) async throws -> Bool { try await self.revoke(name, at: Date()) }
}

extension TokenStore: AccessTokens {}

/// The secrets of tokens, and what is kept of them.
package enum TokenSecret {
    /// The name under which the parts of an installation know each other: no user's token may have it.
    package static let machines = "cortex-internal"

    /// `cortex_` and 64 hexadecimal digits.
    package static func make() -> String {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        return "cortex_" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// SHA-256 of a secret: from a random one of 256 bits nobody finds the way back.
    package static func digest(_ secret: String) -> Data { Data(SHA256.hash(data: Data(secret.utf8))) }

    /// Takes as long whether they are equal or not.
    package static func isEqual(_ left: Data, _ right: Data) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
