import HTTPTypes
import Hummingbird

/// Projects by content, each uploaded once.
///
/// `GET /v1/projects` says where they are kept; `HEAD`, `GET` and `PUT /v1/projects/{hash}` are for one.
struct ProjectRoutes: Sendable {
    let projects: ProjectStore

    private static let badHash = RouteAnswer.refusal(.badRequest, "the path does not end in a project's hash")

    /// Where they are kept elsewhere.
    static let unusable = RouteAnswer.refusal(.badGateway, "the place in which projects are kept cannot be used")

    var routes: [OperatorRoute] {
        [
            OperatorRoute(
                method: .get,
                path: "/v1/projects",
                id: "getProjectStore",
                summary: "where projects are kept, and whether that works",
                answers: [RouteAnswer(status: .ok, summary: "the place, tried", content: .json("ProjectStore"))]
            ) { _, _ in
                try Response.json(
                    ProjectStoreReport(place: self.projects.place, problem: await self.projects.problem())
                )
            },
            OperatorRoute(
                method: .head,
                path: "/v1/projects/{hash}",
                id: "hasProject",
                summary: "whether a project is stored",
                parameters: [.projectHash],
                answers: [
                    RouteAnswer(status: .ok, summary: "it is", content: .none),
                    RouteAnswer(status: .notFound, summary: "it is not", content: .none), Self.badHash,
                    Self.unusable,
                ]
            ) { _, context in
                let hash = try Self.hash(context)
                return Response(status: try await self.projects.hold(hash) ? .ok : .notFound)
            },
            OperatorRoute(
                method: .get,
                path: "/v1/projects/{hash}",
                id: "getProject",
                summary: "a stored project, as a tar archive",
                parameters: [.projectHash],
                answers: [
                    RouteAnswer(status: .ok, summary: "the archive", content: .archive), Self.badHash,
                    .refusal(.notFound, "it is not stored"), Self.unusable,
                ],
                isForMachines: true
            ) { _, context in
                let hash = try Self.hash(context)
                guard let archive = try await self.projects.archive(of: hash) else {
                    throw OperatorError.noSuchProject("\(hash)")
                }
                return Self.stream(archive)
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
                    Self.unusable,
                ]
            ) { request, context in
                let hash = try Self.hash(context)
                // The store reads as it writes, and refuses what breaks the limits of projects before it is on disk.
                try await self.projects.store(hash, from: request.body)
                return Response(status: .noContent)
            },
        ]
    }

    /// The archive, in pieces.
    private static func stream(_ archive: StoredArchive) -> Response {
        let body = ResponseBody(contentLength: archive.size) { writer in
            for try await piece in archive { try await writer.write(piece) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-tar"], body: body)
    }

    private static func hash(_ context: OperatorContext) throws -> ProjectHash {
        let text = try context.parameters.require("hash")
        guard let hash = ProjectHash(text) else { throw OperatorError.notAHash(String(text.prefix(100))) }
        return hash
    }
}

/// Where an operator keeps projects, as `GET /v1/projects` tells.
package struct ProjectStoreReport: Hashable, Sendable, Codable {
    /// Nil for its own disk.
    package var place: String?
    /// Why none can be kept there now; nil where they can.
    package var problem: String?
}
