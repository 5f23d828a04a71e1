package import CortexSpec
package import Foundation
import GRDB

extension StateStore {
    /// Notes an event, and forgets the oldest beyond the limit.
    static func insert(
        _ kind: String,
        _ message: String,
        api: String,
        version: Int,
        at now: Date,
        in db: Database
    ) throws {
        try db.execute(
            sql: "INSERT INTO events (at, api, version, kind, message) VALUES (?, ?, ?, ?, ?)",
            arguments: [now, api, version, kind, message]
        )
        try db.execute(
            sql: """
                DELETE FROM events WHERE api = ?1 AND id <=
                (SELECT id FROM events WHERE api = ?1 ORDER BY id DESC LIMIT 1 OFFSET \(Self.eventLimit))
                """,
            arguments: [api]
        )
    }

    /// Notes an event and what it says of its deployment, in one transaction.
    package func record(_ event: ProviderEvent, at now: Date = Date()) async throws {
        try await self.database.write { db in
            let api = event.api.description
            try Self.insert(event.kind.rawValue, event.message, api: api, version: event.version, at: now, in: db)
            if let environment = event.environment {
                try db.execute(
                    sql: "UPDATE deployments SET environment_key = ? WHERE api = ? AND version = ?",
                    arguments: [environment, api, event.version]
                )
            }
            let outcome: DeploymentOutcome
            switch event.kind {
            case .live: outcome = .live
            case .failed: outcome = .failed(reason: event.message)
            case .progress, .workerExited, .crashLoop, .scaled, .removed: return
            }
            // What was replaced before it came up stays so, whatever is still told of it.
            try db.execute(
                sql: """
                    UPDATE deployments SET outcome = ?, reason = ?
                    WHERE api = ? AND version = ? AND outcome <> 'superseded'
                    """,
                arguments: [outcome.word, outcome.reason, api, event.version]
            )
        }
    }

    /// Events of an API, oldest first: the last `limit` of those after the event `id`.
    package func events(of api: APIName, after id: Int64 = 0, limit: Int = 100) async throws -> [EventRecord] {
        try await self.database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM events WHERE api = ? AND id > ? ORDER BY id DESC LIMIT ?",
                arguments: [api.description, id, limit]
            ).reversed().compactMap { row in
                guard let api = APIName(row["api"]) else { return nil }
                return EventRecord(
                    id: row["id"],
                    at: row["at"],
                    api: api,
                    version: row["version"],
                    kind: row["kind"],
                    message: row["message"]
                )
            }
        }
    }
}
