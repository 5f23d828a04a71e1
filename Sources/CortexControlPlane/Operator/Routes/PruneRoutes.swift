import HTTPTypes
import Hummingbird

/// `POST /v1/prune`: disk space that no API needs.
struct PruneRoutes: Sendable {
    let projects: ProjectStore
    let reconciler: Reconciler

    private static let dryRun = FlagParameter(name: "dry_run", summary: "whether it is only counted")
    private static let all = FlagParameter(
        name: "all",
        summary: "whether the environments of earlier deployments are freed too"
    )

    var routes: [OperatorRoute] {
        [
            OperatorRoute(
                method: .post,
                path: "/v1/prune",
                id: "prune",
                summary: "free the disk of what no API needs",
                parameters: [Self.dryRun.documented, Self.all.documented],
                answers: [
                    RouteAnswer(status: .ok, summary: "what was freed, or would be", content: .json("Prune")),
                    .refusal(.badRequest, "a parameter is out of bounds"), ProjectRoutes.unusable,
                    .refusal(.serviceUnavailable, "it is still starting", headers: ["Retry-After"]),
                ]
            ) { request, _ in
                let (isDryRun, isThorough) = (try Self.dryRun.value(in: request), try Self.all.value(in: request))
                // Before, nobody holds what the APIs are about to use.
                guard await self.reconciler.isRestored else { throw OperatorError.starting }
                return try Response.json(
                    try await self.reconciler.prune(self.projects, isDryRun: isDryRun, isThorough: isThorough)
                )
            }
        ]
    }
}
