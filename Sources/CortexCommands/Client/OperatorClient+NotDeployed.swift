import CortexControlPlane
import CortexSpec

extension OperatorClient {
    /// The failure of a command about an API that is not there, with what is.
    func notDeployed(_ name: String) async throws -> CommandFailure {
        let names = try await self.apis().map { "\($0.spec.name)" }
        return CommandFailure(
            "\(name) is not deployed",
            hint: names.isEmpty ? "no apis are deployed" : "deployed: \(names.joined(separator: ", "))"
        )
    }
}
