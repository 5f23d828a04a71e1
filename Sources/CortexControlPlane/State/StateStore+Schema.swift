import CortexSpec
import Foundation
import GRDB

extension StateStore {
    /// Each step is applied once, in order, and never edited after a release.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 deployments, events, tokens") { db in
            try db.execute(
                sql: """
                    CREATE TABLE deployments (
                        id TEXT PRIMARY KEY NOT NULL,
                        api TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        config TEXT NOT NULL,
                        config_file TEXT NOT NULL,
                        spec TEXT NOT NULL,
                        spec_hash TEXT NOT NULL,
                        predictor_hash TEXT NOT NULL,
                        project_hash TEXT NOT NULL,
                        environment_key TEXT,
                        deployed_by TEXT NOT NULL,
                        created_at TEXT NOT NULL,
                        outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'live', 'failed', 'superseded')),
                        reason TEXT,
                        UNIQUE (api, version)
                    );
                    CREATE TABLE apis (
                        name TEXT PRIMARY KEY NOT NULL,
                        -- The version that the API began with when it was last created.
                        first_version INTEGER NOT NULL,
                        wanted TEXT NOT NULL REFERENCES deployments (id),
                        created_at TEXT NOT NULL
                    );
                    CREATE TABLE events (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        at TEXT NOT NULL,
                        api TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        kind TEXT NOT NULL,
                        message TEXT NOT NULL
                    );
                    CREATE INDEX events_of_api ON events (api, id);
                    CREATE TABLE tokens (
                        name TEXT PRIMARY KEY NOT NULL,
                        digest BLOB NOT NULL,
                        created_at TEXT NOT NULL,
                        revoked_at TEXT
                    );
                    """
            )
        }
        migrator.registerMigration("2 generations") { db in
            // Counts the refreshes: what was deployed before there were any is of generation 0.
            try db.execute(sql: "ALTER TABLE deployments ADD COLUMN generation INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("3 project folders") { db in
            // Where the user deployed from on this machine; what was deployed before is served from its stored project.
            try db.execute(sql: "ALTER TABLE deployments ADD COLUMN project_directory TEXT")
        }
        migrator.registerMigration("4 replicas") { db in
            // How many were wanted last, where somebody said so: a server that is started anew begins with as many.
            try db.execute(sql: "ALTER TABLE apis ADD COLUMN replicas INTEGER")
        }
        migrator.registerMigration("5 autoscalers") { db in
            // What the autoscaler of an API remembers, as JSON.
            try db.execute(sql: "ALTER TABLE apis ADD COLUMN autoscaler TEXT")
        }
        return migrator
    }
}

extension DeploymentRecord {
    /// The rows that meet a condition (text of this program's own), in its order.
    static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> [Self] {
        try Row.fetchAll(db, sql: "SELECT * FROM deployments WHERE \(condition)", arguments: arguments)
            .map { try Self(row: $0) }
    }

    private init(row: Row) throws {
        let spec: String = row["spec"]
        let word: String = row["outcome"]
        guard let outcome = DeploymentOutcome(word: word, reason: row["reason"]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "unknown outcome \(word)")
        }
        self.init(
            deployment: ResourceDeployment(
                id: row["id"],
                version: row["version"],
                spec: try StateJSON.specDecoder().decode(ResourceSpec.self, from: Data(spec.utf8)),
                project: row["project_hash"],
                projectDirectory: row["project_directory"],
                generation: row["generation"]
            ),
            identity: DeploymentIdentity(
                spec: row["spec_hash"],
                predictor: row["predictor_hash"],
                project: row["project_hash"]
            ),
            config: row["config"],
            configFile: row["config_file"],
            deployedBy: row["deployed_by"],
            createdAt: row["created_at"],
            outcome: outcome
        )
    }

    func insert(_ db: Database) throws {
        let spec = try StateJSON.specEncoder().encode(self.deployment.spec)
        try db.execute(
            sql: """
                INSERT INTO deployments (id, api, version, config, config_file, spec, spec_hash, predictor_hash,
                    project_hash, project_directory, generation, deployed_by, created_at, outcome, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                self.deployment.id, self.deployment.spec.name.description, self.deployment.version, self.config,
                self.configFile, String(decoding: spec, as: UTF8.self), self.identity.spec, self.identity.predictor,
                self.identity.project, self.deployment.projectDirectory, self.deployment.generation, self.deployedBy,
                self.createdAt, self.outcome.word, self.outcome.reason,
            ]
        )
    }
}

extension DeploymentOutcome {
    /// The word in the table.
    package var word: String {
        switch self {
        case .pending: "pending"
        case .live: "live"
        case .failed: "failed"
        case .superseded: "superseded"
        }
    }

    /// Why it failed; nil for all else.
    package var reason: String? {
        guard case .failed(let reason) = self else { return nil }
        return reason
    }

    /// Nil for a word that is none of these.
    package init?(word: String, reason: String?) {
        switch word {
        case "pending": self = .pending
        case "live": self = .live
        case "failed": self = .failed(reason: reason ?? "")
        case "superseded": self = .superseded
        default: return nil
        }
    }
}
