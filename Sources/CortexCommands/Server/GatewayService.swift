import CortexGateway
import ServiceLifecycle
import Synchronization

/// Drains the gateway when the process is to end.
final class GatewayService: Service {
    let gateway: Gateway
    private let onShutdown: @Sendable () async -> Void
    /// Requests that the end of the grace cut off.
    let cut = Atomic<Int>(0)

    init(gateway: Gateway, onShutdown: @escaping @Sendable () async -> Void) {
        self.gateway = gateway
        self.onShutdown = onShutdown
    }

    func run() async throws {
        try? await gracefulShutdown()
        await self.onShutdown()
        self.cut.store(await self.gateway.drain(), ordering: .relaxed)
    }
}
