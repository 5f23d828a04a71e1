import CortexGateway
import CortexServing
import CortexTelemetry
import Logging
import ServiceLifecycle

/// Runs a process's services until a signal, or one of them, ends it in good order.
struct ServiceRun {
    /// Started in this order, ended in the reverse one.
    let services: [ServiceGroupConfiguration.ServiceConfiguration]
    /// How long the end may take.
    let patience: Duration
    let signals: ShutdownSignals
    let asText: Bool

    func run() async throws {
        let asText = self.asText
        var configuration = ServiceGroupConfiguration(
            services: self.services,
            logger: Logger(label: "cortex.lifecycle") { _ in
                var handler = LineLogHandler(asText: asText)
                handler.logLevel = .error
                return handler
            }
        )
        configuration.maximumGracefulShutdownDuration = self.patience
        let group = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                await self.signals.watch { await group.triggerGracefulShutdown() }
                // Cancelled; the group's own end is what counts.
                try await Task.sleep(for: .seconds(1 << 30))
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }
}
