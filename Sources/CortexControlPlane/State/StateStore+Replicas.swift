package import CortexSpec
import GRDB

extension StateStore {
    /// Remembers how many replicas an API is to have.
    package func setReplicas(_ count: Int, of api: APIName) async throws {
        try await self.database.write { db in
            try db.execute(
                sql: "UPDATE apis SET replicas = ? WHERE name = ? AND replicas IS NOT ?",
                arguments: [count, api.description, count]
            )
        }
    }

    /// How many replicas an API had last; nil where nobody ever said.
    package func replicas(of api: APIName) async throws -> Int? {
        try await self.database.read { db in
            try Int.fetchOne(db, sql: "SELECT replicas FROM apis WHERE name = ?", arguments: [api.description])
        }
    }
}
