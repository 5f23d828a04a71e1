import CortexLocalProvider
import ServiceLifecycle

/// Runs workers, and ends them when the process is to end.
struct ProviderService: Service {
    let provider: LocalProvider

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.provider.run() }
            group.addTask {
                try await gracefulShutdown()
                await self.provider.shutdown()
            }
            try await group.waitForAll()
        }
    }
}
