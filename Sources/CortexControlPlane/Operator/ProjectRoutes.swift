import HTTPTypes
import Hummingbird

/// `HEAD` and `PUT /v1/projects/{hash}`: projects by content, each uploaded once.
struct ProjectRoutes: Sendable {
    let projects: ProjectStore

    func add(to router: Router<OperatorContext>) {
        router.head("v1/projects/:hash") { _, context in
            let hash = try Self.hash(context)
            guard await self.projects.contains(hash) else { return Response(status: .notFound) }
            return Response(status: .ok)
        }
        router.put("v1/projects/:hash") { request, context in
            let hash = try Self.hash(context)
            // The store reads as it writes, and refuses what breaks the limits of projects before it is on disk.
            try await self.projects.store(hash, from: request.body)
            return Response(status: .noContent)
        }
    }

    private static func hash(_ context: OperatorContext) throws -> ProjectHash {
        let text = try context.parameters.require("hash")
        guard let hash = ProjectHash(text) else { throw OperatorError.notAHash(String(text.prefix(100))) }
        return hash
    }
}
