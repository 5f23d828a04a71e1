import CortexControlPlane
import ServiceLifecycle

/// Serves the operator's port.
struct OperatorService: Service {
    let application: OperatorApplication

    func run() async throws { try await self.application.run() }
}
