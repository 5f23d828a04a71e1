import AsyncHTTPClient
import CortexControlPlane
import Foundation
import NIOCore
import NIOHTTP1

/// A token of an operator as it is listed: without its secret.
struct TokenListing: Codable, Hashable, Sendable {
    var name: String
    var createdAt: Date
    var revokedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case name
        case createdAt = "created_at"
        case revokedAt = "revoked_at"
    }
}

/// A token that was just made; its secret is told this once.
struct IssuedToken: Codable, Hashable, Sendable {
    var name: String
    var token: String
}

extension OperatorClient {
    func createToken(_ name: String) async throws -> IssuedToken {
        var request = self.request("/v1/tokens", method: .POST)
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try StateJSON.encoder().encode(["name": name])))
        return try await self.json(request)
    }

    func tokens() async throws -> [TokenListing] {
        try await self.json(self.request("/v1/tokens"))
    }

    func revokeToken(_ name: String) async throws {
        _ = try await self.body(
            self.request("/v1/tokens/\(Self.escaped(name))", method: .DELETE),
            timeout: .seconds(60)
        )
    }
}
