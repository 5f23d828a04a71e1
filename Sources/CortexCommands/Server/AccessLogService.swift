import CortexTelemetry
import ServiceLifecycle

/// Writes access lines until all others have ended.
struct AccessLogService: Service {
    let sink: LogSink

    func run() async throws {
        await withGracefulShutdownHandler {
            await self.sink.run()
        } onGracefulShutdown: {
            self.sink.close()
        }
    }
}
