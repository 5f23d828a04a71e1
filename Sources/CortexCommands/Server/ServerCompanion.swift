import CortexControlPlane
import CortexLocalProvider
import CortexTelemetry
import ServiceLifecycle

/// A part that a command adds to the server in its own process: `cortex dev`.
///
/// It answers to Ctrl-C (SIGINT), which then is no signal to the server.
struct ServerCompanion: Sendable {
    /// Called when both ports are bound; its end ends the server in good order, and so does an error, which is thrown again.
    ///
    /// Cancelled as soon as the server is to end, before anything else of it does.
    let run: @Sendable (RunningServer) async throws -> Void
}

/// A server as its companion sees it.
struct RunningServer: Sendable {
    let record: ServerRecord
    /// Its operator, over loopback and with the token of this machine.
    let client: OperatorClient
    let provider: LocalProvider
    let projects: ProjectStore
    let accessLog: LogSink
}

/// Runs a companion once the server is up.
struct CompanionService: Service {
    let companion: ServerCompanion
    /// Waits until both ports are bound; nil where that has not happened before the end.
    let server: @Sendable () async throws -> RunningServer?

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                if let server = try await self.server() { try await self.companion.run(server) }
            }
        } catch is CancellationError {
            // Asked to end.
        }
    }
}
