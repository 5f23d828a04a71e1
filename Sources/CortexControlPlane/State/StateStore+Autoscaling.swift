package import CortexSpec
import Foundation
import GRDB

extension StateStore {
    /// Keeps what autoscalers remember; of an API that is not wanted any more nothing is kept.
    package func save(_ autoscalers: [APIName: Autoscaler]) async throws {
        let encoder = StateJSON.encoder()
        let texts = try autoscalers.map { (api: $0.key.description, text: try encoder.encode($0.value)) }
        guard !texts.isEmpty else { return }
        try await self.database.write { db in
            for (api, text) in texts {
                try db.execute(
                    sql: "UPDATE apis SET autoscaler = ? WHERE name = ?",
                    arguments: [String(decoding: text, as: UTF8.self), api]
                )
            }
        }
    }

    /// What autoscalers remembered last.
    ///
    /// What another release wrote and this one cannot read is left out: that API is watched anew.
    package func autoscalers() async throws -> [APIName: Autoscaler] {
        let rows = try await self.database.read { db in
            try Row.fetchAll(db, sql: "SELECT name, autoscaler FROM apis WHERE autoscaler IS NOT NULL")
                .map { (name: $0["name"] as String, text: $0["autoscaler"] as String) }
        }
        let decoder = StateJSON.decoder()
        return rows.reduce(into: [:]) { found, row in
            guard let api = APIName(row.name) else { return }
            found[api] = try? decoder.decode(Autoscaler.self, from: Data(row.text.utf8))
        }
    }
}
