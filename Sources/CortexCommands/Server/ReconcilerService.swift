import CortexControlPlane
import CortexGateway
import ServiceLifecycle

/// Brings about what is wanted, from what is in the store on.
struct ReconcilerService: Service {
    let reconciler: Reconciler
    let gateway: Gateway

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await self.reconciler.run { await self.gateway.finishLoading() }
            }
        } catch is CancellationError {
            // Asked to end: what was wanted is in the store.
        }
    }
}
