import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex server status`: whether a server runs, and where.
struct ServerStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show whether the server runs, and where; exit code 1 where it does not.",
        discussion: """
            Examples:
              cortex server status
              cortex server status -o json
            """
    )

    @OptionGroup var output: OutputOptions

    /// What `-o json` prints.
    struct Report: Encodable {
        var running: Bool
        var home: String
        var pid: Int32?
        var version: String?
        var host: String?
        var port: Int?
        var operatorPort: Int?
        var tlsPort: Int?
        var chainingAddress: String?
        var startedAt: Date?
        /// Absent where none runs.
        var shuttingDown: Bool?

        init(_ record: ServerRecord?, home: CortexHome) {
            self.running = record != nil
            self.home = home.path
            self.pid = record?.pid
            self.version = record?.version
            self.host = record?.host
            self.port = record?.port
            self.operatorPort = record?.operatorPort
            self.tlsPort = record?.tlsPort
            self.chainingAddress = record?.chainingAddress
            self.startedAt = record?.startedAt
            self.shuttingDown = record?.isShuttingDown
        }

        private enum CodingKeys: String, CodingKey {
            case running, home, pid, version, host, port
            case operatorPort = "operator_port"
            case tlsPort = "tls_port"
            case chainingAddress = "chaining_address"
            case startedAt = "started_at"
            case shuttingDown = "shutting_down"
        }
    }

    func run() async throws {
        let console = Console.standard
        let environment = try LocalEnvironment()
        let record = environment.running
        var client: OperatorClient?
        do {
            if let record { client = try await environment.connect(to: record) }
        } catch {
            // The operator's port is closed before the process ends.
            guard record?.isShuttingDown == true else { throw error }
        }
        if self.output.output == .json {
            try console.printJSON(Report(record, home: environment.home))
        } else if let record {
            console.print(
                "cortex server \(record.version) runs (pid \(record.pid), for \(Age(since: record.startedAt)))"
            )
            if record.isShuttingDown {
                let held = (try? await client?.requestsInFlight()) ?? []
                console.print("  shutting down, waits for \(ServerStop.text(of: held))")
            }
            console.print("  predictions   http://localhost:\(record.port)")
            if let port = record.tlsPort { console.print("                https://localhost:\(port)") }
            console.print("  operator      http://127.0.0.1:\(record.operatorPort)")
            if let address = record.chainingAddress {
                console.print("  chaining      http://api-NAME:8888/predict in predictors (\(address))")
            } else {
                console.print("  chaining      off")
            }
            console.print("  home          \(record.home)")
        } else {
            console.print("no cortex server runs in \(environment.home.path)")
        }
        if record == nil { throw ExitCode(1) }
    }
}
