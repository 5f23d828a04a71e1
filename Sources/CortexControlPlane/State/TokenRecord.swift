package import Foundation

/// What may be told of a token: all but its secret, which nobody has but its owner.
package struct TokenRecord: Hashable, Sendable, Codable {
    package var name: String
    package var createdAt: Date
    /// Nil while it is in force.
    package var revokedAt: Date?

    package init(name: String, createdAt: Date, revokedAt: Date?) {
        self.name = name
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }

    /// 1 to 64 of `A-Za-z0-9._-`: what may stand in a path, a log and a table.
    package static func isLegal(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// `revoked_at` is there as null where it is in force.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.name, forKey: .name)
        try container.encode(self.createdAt, forKey: .createdAt)
        try container.encode(self.revokedAt, forKey: .revokedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case createdAt = "created_at"
        case revokedAt = "revoked_at"
    }
}
