import CortexControlPlane
import CortexSpec
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperatorModelsTests {
    private static let config = """
        - name: plain
          kind: RealtimeAPI
          predictor: {type: python, path: predictor.py}
        - name: iris
          kind: RealtimeAPI
          predictor:
            type: python
            path: predictor.py
            models:
              paths:
                - name: a
                  model_path: s3://bucket/a/
                - name: b
                  path: models/b
        """

    @Test func `a wrong model is a problem of the config file with its place and a drawing`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let problem = FieldProblem(
                field: "predictor.models.paths[1].model_path",
                message: "models/b/ is empty",
                allowed: "it must be a folder of Python versions, or one Python model",
                detail: "expected:\nmodels/b/\n└── (any files)"
            )
            let warning = FieldProblem(severity: .warning, field: "predictor.models.paths[0].model_path", message: "w")
            server.provider.find([warning, problem], of: try .of("iris"))
            let answer = try await server.deploy(Self.config, project: "\(hash)", from: "/home/ada/iris")
            #expect(answer.status == 422)
            let error = try answer.decode(ErrorResponse.self)
            #expect(error.code == "INVALID_CONFIG")
            #expect(error.problems?.count == 1)
            let told = try #require(error.problems?.first)
            #expect(told.line == 14)
            #expect(told.column == 17)
            #expect(told.api == "iris")
            #expect(told.detail == problem.detail)
            #expect(
                told.rendered == """
                    cortex.yaml:14:17: iris: predictor.models.paths[1].model_path: models/b/ is empty; it must be a \
                    folder of Python versions, or one Python model
                       |
                    14 |           path: models/b
                       |                 ^^^^^^^^
                         expected:
                         models/b/
                         └── (any files)

                    """
            )
            // Nothing of the file is deployed, and the API without models was not asked about.
            #expect(server.provider.calls.isEmpty)
            #expect(try await server.reconciler.apis().isEmpty)
            #expect(
                server.provider.checked == [
                    FakeProvider.ModelCheck(
                        apis: [try .of("iris")],
                        project: "\(hash)",
                        projectDirectory: "/home/ada/iris"
                    )
                ]
            )
        }
    }

    @Test func `problems come in the order of the file`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let fields = ["predictor.models.paths[1].model_path", "predictor.models.paths[0].model_path"]
            server.provider.find(fields.map { FieldProblem(field: $0, message: "is wrong") }, of: try .of("iris"))
            let answer = try await server.deploy(Self.config, project: "\(hash)")
            #expect(try answer.decode(ErrorResponse.self).problems?.map(\.line) == [12, 14])
        }
    }

    @Test func `a warning is told beside the API that is deployed`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let field = "predictor.models.paths[0].model_path"
            server.provider.find(
                [FieldProblem(severity: .warning, field: field, message: "is mixed")],
                of: try .of("iris")
            )
            let answer = try await server.deploy(Self.config, project: "\(hash)", from: "/home/ada/iris")
            #expect(answer.status == 200)
            let results = try answer.decode([DeployResponse].self)
            #expect(results.map { $0.warnings?.map(\.message) } == [nil, ["is mixed"]])
            #expect(results[1].warnings?.first?.line == 12)
            #expect(results[1].warnings?.first?.rendered.contains("warning: iris: \(field): is mixed") == true)
        }
    }

    @Test func `the user's folder is kept with the deployment`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            _ = try await server.deploy(Self.config, project: "\(hash)", from: "/home/ada/iris")
            let name = try APIName.of("iris")
            let first = try await server.reconciler.api(name)?.wanted.deployment
            #expect(first?.projectDirectory == "/home/ada/iris")
            let refreshed = try await server.reconciler.refresh(name, force: true, by: "local")
            #expect(refreshed?.deployment.projectDirectory == "/home/ada/iris")
        }
    }

    @Test(arguments: ["iris", "", "~/iris"]) func `a folder that is not absolute is refused`(
        folder: String
    ) async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let answer = try await server.deploy(RunningOperator.iris, project: "\(hash)", from: folder)
            #expect(answer.status == 400)
            #expect(try answer.decode(ErrorResponse.self).error == "project_directory must be an absolute path")
        }
    }
}
