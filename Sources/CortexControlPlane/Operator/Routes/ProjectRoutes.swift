import HTTPTypes
import Hummingbird

/// `HEAD` and `PUT /v1/projects/{hash}`: projects by content, each uploaded once.
struct ProjectRoutes: Sendable {
    let projects: ProjectStore

    private static let badHash = RouteAnswer.refusal(.badRequest, "the path does not end in a project's hash")

    var routes: [OperatorRoute] {
        [
            OperatorRoute(
                method: .head,
                path: "/v1/projects/{hash}",
                id: "hasProject",
                summary: "whether a project is stored",
                parameters: [.projectHash],
                answers: [
                    RouteAnswer(status: .ok, summary: "it is", content: .none),
                    RouteAnswer(status: .notFound, summary: "it is not", content: .none), Self.badHash,
                ]
            ) { _, context in
                let hash = try Self.hash(context)
                return Response(status: await self.projects.hold(hash) ? .ok : .notFound)
            },
            OperatorRoute(
                method: .put,
                path: "/v1/projects/{hash}",
                id: "putProject",
                summary: "store a project by its content",
                parameters: [.projectHash],
                body: .archive,
                answers: [
                    RouteAnswer(status: .noContent, summary: "it is stored", content: .none), Self.badHash,
                    .refusal(.unprocessableContent, "the body is not an archive of the project with this hash"),
                ]
            ) { request, context in
                let hash = try Self.hash(context)
                // The store reads as it writes, and refuses what breaks the limits of projects before it is on disk.
                try await self.projects.store(hash, from: request.body)
                return Response(status: .noContent)
            },
        ]
    }

    private static func hash(_ context: OperatorContext) throws -> ProjectHash {
        let text = try context.parameters.require("hash")
        guard let hash = ProjectHash(text) else { throw OperatorError.notAHash(String(text.prefix(100))) }
        return hash
    }
}
