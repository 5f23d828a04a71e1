package import CortexControlPlane
package import CortexKubernetes
import CortexSpec
package import Foundation

/// Who may use the operator: digests of tokens in the Secret `cortex-tokens`, each under its name.
package struct ClusterTokens: AccessTokens {
    /// As it stands in the secret.
    struct Entry: Hashable, Codable {
        /// SHA-256 of the secret, in hex.
        var digest: String
        var createdAt: Date
        var revokedAt: Date?

        private enum CodingKeys: String, CodingKey {
            case digest
            case createdAt = "created_at"
            case revokedAt = "revoked_at"
        }
    }

    private let client: KubernetesClient
    /// That of the parts of this installation.
    private let machines: Data?

    /// - Parameter machineSecret: What the parts of this installation know each other by; nil lets none of them in.
    package init(client: KubernetesClient, machineSecret: String?) {
        self.client = client
        self.machines = machineSecret.flatMap { $0.isEmpty ? nil : TokenSecret.digest($0) }
    }

    package func issue(_ name: String, at now: Date) async throws -> String? {
        if let there = try await self.entries()[name], there.revokedAt == nil { return nil }
        let secret = TokenSecret.make()
        try await self.write(Entry(digest: TokenSecret.digest(secret).hex, createdAt: now), name)
        return secret
    }

    package func all() async throws -> [TokenRecord] {
        try await self.entries().sorted { $0.key < $1.key }.map { name, entry in
            TokenRecord(name: name, createdAt: entry.createdAt, revokedAt: entry.revokedAt)
        }
    }

    package func revoke(_ name: String, at now: Date) async throws -> Bool {
        guard var entry = try await self.entries()[name], entry.revokedAt == nil else { return false }
        entry.revokedAt = now
        try await self.write(entry, name)
        return true
    }

    package func name(ofSecret secret: String) async throws -> String? {
        let digest = TokenSecret.digest(secret)
        if let machines, TokenSecret.isEqual(machines, digest) { return TokenSecret.machines }
        var found: String?
        // All are compared, each in constant time: how long this takes tells nothing of any digest.
        for (name, entry) in try await self.entries() where entry.revokedAt == nil {
            if TokenSecret.isEqual(Data(entry.digest.utf8), Data(digest.hex.utf8)) { found = name }
        }
        return found
    }

    private func entries() async throws -> [String: Entry] {
        let secret = try await self.client.get(.secrets, CortexNames.tokenSecret)
        return (secret?["data"]?.object ?? [:]).compactMapValues { value in
            guard let text = value.string, let data = Data(base64Encoded: text) else { return nil }
            return try? StateJSON.decoder().decode(Entry.self, from: data)
        }
    }

    private func write(_ entry: Entry, _ name: String) async throws {
        let text = try StateJSON.encoder().encode(entry).base64EncodedString()
        try await self.client.patch(.secrets, CortexNames.tokenSecret, ["data": .object([name: .string(text)])])
    }
}

extension Data {
    /// Two lower-case digits for each byte.
    fileprivate var hex: String { self.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
