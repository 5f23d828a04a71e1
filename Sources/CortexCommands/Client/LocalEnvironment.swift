import CortexControlPlane
import Foundation

/// The home that a command works on, and the server that may run in it.
struct LocalEnvironment: Sendable {
    let home: CortexHome

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        self.home = try CortexHome(environment: environment)
    }

    /// The record of a server that lives; nil where none does.
    ///
    /// A record whose process has gone, or has become another, is as good as none.
    var running: ServerRecord? {
        guard let record = ServerRecord.read(in: self.home), record.isAlive else { return nil }
        return record
    }

    /// A connection to the running server; tells in words where there is none, or one of another version.
    func connect() async throws -> OperatorClient {
        guard let record = self.running else {
            throw CommandFailure(
                "no cortex server runs in \(self.home.path)",
                hint: "start one with `cortex server start`, or deploy something: `cortex deploy` starts one itself"
            )
        }
        return try await self.connect(to: record)
    }

    /// A connection to the server of `record`, which must answer.
    func connect(to record: ServerRecord) async throws -> OperatorClient {
        guard let token = TokenStore.localToken(self.home) else {
            throw CommandFailure(
                "cannot read \(self.home.tokens)/local.token",
                hint: "restart the server (`cortex server stop`, `cortex server start`); it writes the file anew"
            )
        }
        let client = OperatorClient(port: record.operatorPort, token: token)
        let answered: ServerRecord
        do {
            answered = try await client.info()
        } catch let refusal as OperatorClient.Refusal {
            throw CommandFailure("the server (pid \(record.pid)) refused: \(refusal)", hint: refusal.response.hint)
        } catch {
            throw CommandFailure(
                "the server (pid \(record.pid)) does not answer on 127.0.0.1:\(record.operatorPort): \(ConnectionFailure(error))",
                hint: "its log is \(self.home.serverLog); `cortex server stop` ends it"
            )
        }
        guard answered.version == CortexVersion.current else {
            throw CommandFailure(
                "the server (pid \(record.pid)) is cortex \(answered.version), and this is cortex "
                    + CortexVersion.current,
                hint: "restart it with this version: cortex server stop && cortex server start"
            )
        }
        return client
    }
}
