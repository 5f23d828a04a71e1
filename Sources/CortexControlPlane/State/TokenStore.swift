package import Foundation
import GRDB

/// Who may use the operator: named tokens, of which only digests are kept.
package struct TokenStore: Sendable {
    /// The token of this machine's own command line.
    package static let localName = "local"

    private let database: DatabasePool

    package init(store: StateStore) {
        self.database = store.database
    }

    /// Makes a token and returns its secret, which cannot be had again; an older one of that name ends.
    package func create(_ name: String, at now: Date = Date()) async throws -> String {
        let secret = TokenSecret.make()
        try await self.database.write { db in
            try Self.replace(name, digest: TokenSecret.digest(secret), at: now, in: db)
        }
        return secret
    }

    /// Makes a token and returns its secret, which cannot be had again; nil where one of that name is in force.
    package func issue(_ name: String, at now: Date = Date()) async throws -> String? {
        let secret = TokenSecret.make()
        return try await self.database.write { db in
            let isTaken = try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM tokens WHERE name = ? AND revoked_at IS NULL)",
                arguments: [name]
            )
            guard isTaken != true else { return nil }
            try Self.replace(name, digest: TokenSecret.digest(secret), at: now, in: db)
            return secret
        }
    }

    /// All tokens by name, those that have been revoked as well.
    package func all() async throws -> [TokenRecord] {
        try await self.database.read { db in
            try Row.fetchAll(db, sql: "SELECT name, created_at, revoked_at FROM tokens ORDER BY name")
                .map { TokenRecord(name: $0["name"], createdAt: $0["created_at"], revokedAt: $0["revoked_at"]) }
        }
    }

    private static func replace(_ name: String, digest: Data, at now: Date, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO tokens (name, digest, created_at) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE
                SET digest = excluded.digest, created_at = excluded.created_at, revoked_at = NULL
                """,
            arguments: [name, digest, now]
        )
    }

    /// Ends a token; false where there is none of that name in force.
    package func revoke(_ name: String, at now: Date = Date()) async throws -> Bool {
        try await self.database.write { db in
            try db.execute(
                sql: "UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL",
                arguments: [now, name]
            )
            return db.changesCount > 0
        }
    }

    /// The name of the token with this secret; nil where none is in force.
    package func name(ofSecret secret: String) async throws -> String? {
        let digest = TokenSecret.digest(secret)
        let rows = try await self.database.read { db in
            try Row.fetchAll(db, sql: "SELECT name, digest FROM tokens WHERE revoked_at IS NULL")
                .map { (name: $0["name"] as String, digest: $0["digest"] as Data) }
        }
        var found: String?
        // All are compared, each in constant time: how long this takes tells nothing of any digest.
        for row in rows where TokenSecret.isEqual(row.digest, digest) { found = row.name }
        return found
    }

    /// Sees to it that the command line's token is in force and in its file, and returns its secret.
    package func ensureLocalToken(home: CortexHome) async throws -> String {
        let file = Self.localTokenFile(home)
        if let secret = Self.localToken(home), try await self.name(ofSecret: secret) == Self.localName { return secret }
        let secret = try await self.create(Self.localName)
        let temporary = "\(file).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let written = Array(secret.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        guard written == secret.utf8.count, rename(temporary, file) == 0 else {
            throw StateError.cannotOpen(path: file, reason: String(cString: strerror(errno)))
        }
        return secret
    }

    /// The command line's secret; nil where no server has made one in this home.
    package static func localToken(_ home: CortexHome) -> String? {
        let text = try? String(contentsOfFile: self.localTokenFile(home), encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func localTokenFile(_ home: CortexHome) -> String { "\(home.tokens)/local.token" }
}
