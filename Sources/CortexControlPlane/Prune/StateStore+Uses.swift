import CortexSpec
package import Foundation
import GRDB

/// Which projects a deployed API may still be served from.
package struct ProjectUses: Sendable {
    /// Of what is wanted, of what serves until that is live, and of the history that can be gone back to.
    package var kept: Set<String> = []
    /// When each project was last deployed, by whatever API.
    package var lastDeployed: [String: Date] = [:]

    package init(kept: Set<String> = [], lastDeployed: [String: Date] = [:]) {
        self.kept = kept
        self.lastDeployed = lastDeployed
    }
}

extension StateStore {
    /// Projects of an API that are kept: what was deployed again, refreshed or rolled back to counts once.
    package static let keptProjects = 10
    /// Deployments of an API that were live and whose environments are kept.
    package static let keptLiveDeployments = 3

    /// The deployments of APIs as they are deployed now, with their places in the history.
    ///
    /// `live_place` counts those of an API that were live from the newest on; `last_use` is the newest with the same project.
    private static let ranked = """
        SELECT deployments.*, deployments.id = apis.wanted AS is_wanted,
            MAX(version) OVER (PARTITION BY api, project_hash) AS last_use,
            CASE outcome WHEN 'live' THEN
                ROW_NUMBER() OVER (PARTITION BY api, outcome = 'live' ORDER BY version DESC)
            END AS live_place
        FROM deployments JOIN apis ON apis.name = deployments.api
        WHERE version >= first_version
        """

    /// The environments that the deployed APIs need, as far as they have been told.
    package func environmentUses() async throws -> EnvironmentUses {
        try await self.database.read { try Self.environmentUses($0) }
    }

    /// The environments that the APIs of another home need, whose server may run or not; none where it has had no server.
    package static func environmentUses(of home: CortexHome) async throws -> EnvironmentUses {
        let path = Self.path(in: home)
        guard FileManager.default.fileExists(atPath: path) else { return EnvironmentUses() }
        var configuration = Configuration()
        // Neither made nor brought up to date: that is for its own server.
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        return try await DatabaseQueue(path: path, configuration: configuration).read { try Self.environmentUses($0) }
    }

    private static func environmentUses(_ db: Database) throws -> EnvironmentUses {
        var uses = EnvironmentUses()
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT environment_key, is_wanted OR IFNULL(live_place, 0) = 1 AS is_current
                FROM (\(Self.ranked))
                WHERE environment_key IS NOT NULL AND (is_wanted OR live_place <= ?)
                """,
            arguments: [Self.keptLiveDeployments]
        )
        for row in rows {
            let key: String = row["environment_key"]
            if row["is_current"] { uses.current.insert(key) } else { uses.history.insert(key) }
        }
        return uses
    }

    /// The projects that the deployed APIs need, and when each was deployed.
    package func projectUses() async throws -> ProjectUses {
        try await self.database.read { db in
            let kept = try String.fetchSet(
                db,
                sql: """
                    SELECT project_hash FROM (
                        SELECT *, DENSE_RANK() OVER (PARTITION BY api ORDER BY last_use DESC) AS project_place
                        FROM (\(Self.ranked))
                    )
                    WHERE is_wanted OR project_place <= ? OR live_place <= ?
                    """,
                arguments: [Self.keptProjects, Self.keptLiveDeployments]
            )
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT project_hash, MAX(created_at) AS last FROM deployments GROUP BY project_hash"
            )
            return ProjectUses(
                kept: kept,
                lastDeployed: Dictionary(uniqueKeysWithValues: rows.map { ($0["project_hash"], $0["last"]) })
            )
        }
    }
}
