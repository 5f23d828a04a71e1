import CortexControlPlane
import NIOCore
import NIOHTTP1

extension OperatorClient {
    /// Frees the disk of what no API needs, or counts it.
    func prune(isDryRun: Bool, isThorough: Bool) async throws -> PruneReport {
        // Large environments have tens of thousands of files each.
        try await self.json(
            self.request("/v1/prune?dry_run=\(isDryRun)&all=\(isThorough)", method: .POST),
            timeout: .hours(1)
        )
    }
}
