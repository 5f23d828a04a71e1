import CortexSpec
import HTTPTypes
import Hummingbird

/// `POST /v1/deploy`: a config file and the hash of a stored project become deployments.
struct DeployRoutes: Sendable {
    let projects: ProjectStore
    let reconciler: Reconciler
    let baseURL: @Sendable () async -> String

    var routes: [OperatorRoute] {
        [
            OperatorRoute(
                method: .post,
                path: "/v1/deploy",
                id: "deploy",
                summary: "deploy each API and splitter of a config file",
                body: .json("Deploy"),
                answers: [
                    RouteAnswer(status: .ok, summary: "what became of each API", content: .list("DeployResult")),
                    .refusal(.badRequest, "the body is not what this route takes"),
                    .refusal(.conflict, "the project is not stored"),
                    .refusal(.contentTooLarge, "the body is too large"),
                    .refusal(.unprocessableContent, "the config file has problems"), ProjectRoutes.unusable,
                ]
            ) { request, context in
                let body = try await request.decode(as: DeployBody.self, context: context)
                return try Response.json(try await self.deploy(body, by: context.tokenName))
            }
        ]
    }

    private func deploy(_ body: DeployBody, by token: String) async throws -> [DeployResponse] {
        guard let hash = ProjectHash(body.project) else {
            throw OperatorError.notAHash(String(body.project.prefix(100)))
        }
        if let directory = body.projectDirectory, !directory.hasPrefix("/") || directory.contains("\0") {
            throw OperatorError.malformed("project_directory must be an absolute path")
        }
        guard try await self.projects.hold(hash) else { throw OperatorError.projectNotStored(body.project) }
        let files = try await self.projects.entries(of: hash).map(\.path)
        let specs = try ConfigCheck(files: files).specs(in: body.config, file: body.configFile)
        let request = DeployRequest(
            specs: specs,
            project: body.project,
            projectDirectory: body.projectDirectory,
            config: body.config,
            configFile: body.configFile,
            force: body.force,
            deployedBy: token
        )
        let ofTargets = try await self.reconciler.targetProblems(of: request)
        let ofCompute = await self.reconciler.computeProblems(of: request)
        let ofModels = await self.reconciler.modelProblems(of: request)
        let warnings = try ConfigCheck.warnings(
            among: ofModels.merging(ofCompute) { $0 + $1 }.merging(ofTargets) { $0 + $1 },
            in: body.config,
            file: body.configFile
        )
        let results = try await self.reconciler.deploy(request)
        let baseURL = await self.baseURL()
        var responses: [DeployResponse] = []
        for result in results {
            let state = try await self.reconciler.api(result.api)
            let api = state.map { APIResponse($0, baseURL: baseURL) }
            var response = DeployResponse(api: api, message: "", error: "", warnings: warnings[result.api.description])
            switch result.outcome {
            case .success(let message): response.message = message
            case .failure(let error): response.error = error.description
            }
            responses.append(response)
        }
        return responses
    }
}
