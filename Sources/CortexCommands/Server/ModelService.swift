import CortexModels
import ServiceLifecycle

/// Keeps models as their places have them, by way of the storage agent.
///
/// Ends after the provider, whose versions let go of their models as they end.
struct ModelService: Service {
    let models: ModelLibrary
    let agent: StorageAgent

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.agent.run() }
                await self.models.run()
                group.cancelAll()
            }
        }
    }
}
