import CortexSpec
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// `/v1/apis`: what is deployed, its history, its log and its events.
struct APIRoutes: Sendable {
    let projects: ProjectStore
    let reconciler: Reconciler
    let baseURL: @Sendable () async -> String

    private static let force = FlagParameter(name: "force", summary: "whether an update in progress is replaced")
    private static let last = NumberParameter(
        name: "last",
        summary: "how many lines that are there already",
        standard: 1000,
        allowed: 0...1_000_000
    )
    private static let follow = FlagParameter(name: "follow", summary: "whether lines to come follow")
    private static let json = FlagParameter(name: "json", summary: "whether each line is a JSON object, as it is kept")
    private static let after = NumberParameter(
        name: "after",
        summary: "the id of the event after which to begin",
        standard: 0,
        allowed: 0...Int.max
    )
    private static let limit = NumberParameter(
        name: "limit",
        summary: "at most this many, the newest",
        standard: 100,
        allowed: 1...StateStore.eventLimit
    )

    private static let missing = RouteAnswer.refusal(.notFound, "no such API is deployed")
    private static let badQuery = RouteAnswer.refusal(.badRequest, "a parameter is out of bounds")

    var routes: [OperatorRoute] {
        [self.list, self.show, self.delete, self.refresh, self.rollback, self.history, self.events, self.logs]
    }

    private var list: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/apis",
            id: "listAPIs",
            summary: "all APIs, by name",
            answers: [RouteAnswer(status: .ok, summary: "the APIs", content: .list("API"))]
        ) { _, _ in
            let baseURL = await self.baseURL()
            return try Response.json(try await self.reconciler.apis().map { APIResponse($0, baseURL: baseURL) })
        }
    }

    private var show: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/apis/{name}",
            id: "getAPI",
            summary: "an API as wanted and as seen",
            parameters: [.apiName],
            answers: [RouteAnswer(status: .ok, summary: "the API", content: .json("API")), Self.missing]
        ) { _, context in
            let state = try await self.state(context)
            return try Response.json(APIResponse(state, baseURL: await self.baseURL()))
        }
    }

    private var delete: OperatorRoute {
        OperatorRoute(
            method: .delete,
            path: "/v1/apis/{name}",
            id: "deleteAPI",
            summary: "take an API away",
            parameters: [.apiName],
            answers: [
                RouteAnswer(status: .ok, summary: "it is being taken away", content: .json("Message")), Self.missing,
                .refusal(.conflict, "splitters lead requests to it"),
            ]
        ) { _, context in
            let name = try await self.name(context)
            // Gone in between is gone as well.
            _ = try await self.reconciler.delete(name, by: context.tokenName)
            return try Response.json(["message": "deleting \(name)"])
        }
    }

    private var refresh: OperatorRoute {
        OperatorRoute(
            method: .post,
            path: "/v1/apis/{name}/refresh",
            id: "refreshAPI",
            summary: "replace the workers of an API by new ones of the same spec and project",
            parameters: [.apiName, Self.force.documented],
            answers: [
                RouteAnswer(status: .accepted, summary: "they are being replaced", content: .json("Message")),
                Self.badQuery, Self.missing, .refusal(.conflict, "an update is in progress, or it is a splitter"),
            ]
        ) { request, context in
            let force = try Self.force.value(in: request)
            let name = try await self.name(context)
            do {
                let refreshed = try await self.reconciler.refresh(name, force: force, by: context.tokenName)
                guard refreshed != nil else { throw OperatorError.noSuchAPI(name: "\(name)", deployed: []) }
            } catch let error as DeployError {
                throw OperatorError.updating(error.description)
            }
            return try Response.json(["message": "updating \(name)"], status: .accepted)
        }
    }

    private static let target = RouteParameter(
        name: "to",
        place: .query,
        summary: "a version's number or a deployment's id; the newest other one that was live where it is left out",
        schema: ["type": "string", "minLength": 1]
    )

    private var rollback: OperatorRoute {
        OperatorRoute(
            method: .post,
            path: "/v1/apis/{name}/rollback",
            id: "rollBackAPI",
            summary: "make an earlier deployment of an API the wanted one once more",
            parameters: [.apiName, Self.target],
            answers: [
                RouteAnswer(status: .accepted, summary: "it is being brought up", content: .json("Message")),
                .refusal(.notFound, "no such API is deployed, or it has no such deployment"),
                .refusal(
                    .conflict,
                    "there is nothing to go back to, or its project has been pruned, or an API that it names is gone"
                ),
                ProjectRoutes.unusable,
            ]
        ) { request, context in
            let target = request.uri.queryParameters["to"].map { String($0) }
            let name = try await self.name(context)
            do {
                let done = try await self.reconciler.rollback(
                    name,
                    to: target,
                    from: self.projects,
                    by: context.tokenName
                )
                guard let done else { throw OperatorError.noSuchAPI(name: "\(name)", deployed: []) }
                let text = "rolling back \(name) to version \(done.target.deployment.version)"
                return try Response.json(["message": text], status: .accepted)
            } catch let error as RollbackError {
                throw switch error {
                case .unknown: OperatorError.noSuchDeployment(error.description)
                case .pruned: OperatorError.projectPruned(error.description)
                case .nothingBefore, .current: OperatorError.nothingToRollBack(error.description)
                }
            } catch let error as DeployError {
                throw OperatorError.targetMissing(error.description)
            }
        }
    }

    private var history: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/apis/{name}/deployments",
            id: "listDeployments",
            summary: "the deployments of an API since it was created, newest first",
            parameters: [.apiName, Self.limit.documented],
            answers: [
                RouteAnswer(status: .ok, summary: "the deployments", content: .list("Deployment")), Self.badQuery,
                Self.missing,
            ]
        ) { request, context in
            let limit = try Self.limit.value(in: request)
            let records = try await self.reconciler.history(of: try await self.name(context), limit: limit)
            return try Response.json(records.map { DeploymentSummary($0) })
        }
    }

    private var events: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/apis/{name}/events",
            id: "listEvents",
            summary: "what happened to an API, oldest first",
            parameters: [.apiName, Self.after.documented, Self.limit.documented],
            answers: [
                RouteAnswer(status: .ok, summary: "the events", content: .list("Event")), Self.badQuery, Self.missing,
            ]
        ) { request, context in
            let (after, limit) = (try Self.after.value(in: request), try Self.limit.value(in: request))
            let name = try await self.name(context)
            return try Response.json(try await self.reconciler.events(of: name, after: Int64(after), limit: limit))
        }
    }

    private var logs: OperatorRoute {
        OperatorRoute(
            method: .get,
            path: "/v1/apis/{name}/logs",
            id: "getLogs",
            summary: "lines of an API's log, oldest first",
            parameters: [.apiName, Self.last.documented, Self.follow.documented, Self.json.documented],
            answers: [
                RouteAnswer(status: .ok, summary: "the lines", content: .text), Self.badQuery, Self.missing,
                .refusal(.conflict, "it is a splitter, which has no log of its own"),
            ]
        ) { request, context in
            let (last, follow) = (try Self.last.value(in: request), try Self.follow.value(in: request))
            let form: LogForm = try Self.json.value(in: request) ? .json : .text
            let name = try await self.name(context)
            let lines = try await self.reconciler.logLines(of: name, last: last, follow: follow, as: form)
            return Self.stream(lines, of: request)
        }
    }

    /// Lines as they come, until they end, the client leaves, or the server shuts down.
    private static func stream(_ lines: AsyncThrowingStream<String, any Error>, of request: Request) -> Response {
        let body = ResponseBody { writer in
            let sink = writer
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                var sink = sink
                for try await line in lines.cancelOnGracefulShutdown() {
                    try await sink.write(ByteBuffer(string: line + "\n"))
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
    }

    private func name(_ context: OperatorContext) async throws -> APIName {
        try await self.state(context).wanted.deployment.spec.name
    }

    private func state(_ context: OperatorContext) async throws -> APIState {
        let text = try context.parameters.require("name")
        if let name = APIName(text), let state = try await self.reconciler.api(name) { return state }
        let deployed = try await self.reconciler.apis().map(\.wanted.deployment.spec.name.description)
        throw OperatorError.noSuchAPI(name: String(text.prefix(100)), deployed: deployed)
    }
}
