package import CortexSpec
package import Foundation
import GRDB

/// What the control plane must not forget, in `CORTEX_HOME/state/cortex.sqlite`; never on the path of a prediction.
///
/// Each method is one transaction. The database is in WAL mode and synchronous, so that what a method has returned
/// survives `kill -9`.
package struct StateStore: Sendable {
    /// Events that are kept of one API.
    package static let eventLimit = 1000

    let database: DatabasePool

    /// Opens the database, makes it where there is none, and brings an older one up to date.
    package init(home: CortexHome) throws {
        let path = Self.path(in: home)
        // SQLite would make the file readable by others, and gives its journals the mode of the file.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateError.cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        close(descriptor)
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        do {
            self.database = try DatabasePool(path: path, configuration: configuration)
            let migrator = Self.migrator
            guard try self.database.read({ try !migrator.hasBeenSuperseded($0) }) else {
                throw StateError.newerSchema(path: path)
            }
            try migrator.migrate(self.database)
        } catch let error as DatabaseError {
            throw StateError.cannotOpen(path: path, reason: error.description)
        }
    }

    /// Where a home's database is.
    static func path(in home: CortexHome) -> String { "\(home.state)/cortex.sqlite" }

    /// Ends all access; the store must not be used afterwards.
    package func end() throws {
        try self.database.close()
    }
}

extension StateStore {
    /// Makes `draft` the wanted deployment of its API and gives it its id and version.
    ///
    /// A deployment of the API that was coming up is superseded by it.
    package func add(_ draft: DeploymentDraft, at now: Date = Date()) async throws -> DeploymentRecord {
        try await self.database.write { db in
            let name = draft.spec.name.description
            let newest = try Int.fetchOne(
                db,
                sql: "SELECT MAX(version) FROM deployments WHERE api = ?",
                arguments: [name]
            )
            let version = (newest ?? 0) + 1
            let lastID = try String.fetchOne(db, sql: "SELECT MAX(id) FROM deployments")
            let record = DeploymentRecord(
                draft,
                version: version,
                after: lastID,
                projectDirectory: draft.projectDirectory,
                at: now
            )
            try db.execute(
                sql: "UPDATE deployments SET outcome = 'superseded' WHERE api = ? AND outcome = 'pending'",
                arguments: [name]
            )
            try record.insert(db)
            let origin = draft.origin.map { ": as version \($0) was" } ?? ""
            let event = "version \(version) \(draft.cause.words) by \(draft.deployedBy)\(origin)"
            try Self.insert(draft.cause.rawValue, event, api: name, version: version, at: now, in: db)
            try db.execute(
                sql: """
                    INSERT INTO apis (name, first_version, wanted, created_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET wanted = excluded.wanted
                    """,
                arguments: [name, version, record.deployment.id, now]
            )
            return record
        }
    }

    /// The wanted deployment of an API; nil where it is not deployed.
    package func wanted(_ api: APIName) async throws -> DeploymentRecord? {
        try await self.database.read { db in
            try DeploymentRecord.fetch(db, where: "id = (SELECT wanted FROM apis WHERE name = ?)", [api.description])
                .first
        }
    }

    /// The wanted deployments of all APIs, by name.
    package func allWanted() async throws -> [DeploymentRecord] {
        try await self.database.read { db in
            try DeploymentRecord.fetch(db, where: "id IN (SELECT wanted FROM apis) ORDER BY api", [])
        }
    }

    /// The newest deployment of an API that was live, other than the wanted one; nil where there is none since the API
    /// was last created.
    package func fallback(for api: APIName) async throws -> DeploymentRecord? {
        try await self.database.read { db in
            try DeploymentRecord.fetch(
                db,
                where: """
                    api = ?1 AND outcome = 'live'
                    AND id <> (SELECT wanted FROM apis WHERE name = ?1)
                    AND version >= (SELECT first_version FROM apis WHERE name = ?1)
                    ORDER BY version DESC LIMIT 1
                    """,
                [api.description]
            ).first
        }
    }

    /// Deployments of an API since it was last created, newest first; at most `limit`.
    package func history(of api: APIName, limit: Int) async throws -> [DeploymentRecord] {
        try await self.database.read { db in
            try DeploymentRecord.fetch(
                db,
                where: """
                    api = ?1 AND version >= (SELECT first_version FROM apis WHERE name = ?1)
                    ORDER BY version DESC LIMIT ?2
                    """,
                [api.description, limit]
            )
        }
    }

    /// Forgets that the API is wanted; its deployments and events stay as history.
    /// - Parameter by: The name of the token that the request came with.
    /// - Returns: Whether it was.
    package func remove(_ api: APIName, by token: String, at now: Date = Date()) async throws -> Bool {
        try await self.database.write { db in
            let name = api.description
            let newest = try Int.fetchOne(
                db,
                sql: "SELECT version FROM deployments WHERE id = (SELECT wanted FROM apis WHERE name = ?)",
                arguments: [name]
            )
            guard let newest else { return false }
            try Self.insert("deleted", "deleted by \(token)", api: name, version: newest, at: now, in: db)
            try db.execute(
                sql: "UPDATE deployments SET outcome = 'superseded' WHERE api = ? AND outcome = 'pending'",
                arguments: [name]
            )
            try db.execute(sql: "DELETE FROM apis WHERE name = ?", arguments: [name])
            return true
        }
    }
}
