import AsyncHTTPClient
import CortexControlPlane
import CortexSpec
import NIOCore
import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperatorDeployTests {
    @Test func `a project is uploaded once and deployed`() async throws {
        try await RunningOperator.run { server in
            let absent = String(repeating: "a", count: 64)
            #expect(try await server.send(.HEAD, "/v1/projects/\(absent)").status == 404)
            let hash = try await server.upload()
            #expect(try await server.send(.HEAD, "/v1/projects/\(hash)").status == 200)

            let answer = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            #expect(answer.status == 200)
            let results = try answer.decode([DeployResponse].self)
            #expect(results.map(\.message) == ["creating iris (RealtimeAPI)"])
            #expect(results.map(\.error) == [""])
            #expect(results.first?.api?.deployment.deployedBy == "local")
            #expect(server.provider.calls == [.apply(try .of("iris"), version: 1, fallback: nil)])
            let again = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            #expect(try again.decode([DeployResponse].self).first?.message == "iris (RealtimeAPI) is already updating")
        }
    }

    @Test func `an API that is refused is null, with its reason`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            _ = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            let thief =
                RunningOperator.iris.replacing("name: iris", with: "name: thief") + "\n  networking: {endpoint: /iris}"
            let answer = try await server.deploy(thief, project: "\(hash)")
            #expect(answer.status == 200)
            #expect(answer.body.contains("\"api\":null"))
            let error = try #require(try answer.decode([DeployResponse].self).first?.error)
            #expect(error.contains("belongs to the deployed API iris"))
        }
    }

    @Test func `every problem of a config file is told with its place`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let config = """
                - name: Iris
                  kind: RealtimeAPI
                  predictor:
                    type: python
                    path: missing.py
                """
            let answer = try await server.deploy(config, project: "\(hash)")
            #expect(answer.status == 422)
            let error = try answer.decode(ErrorResponse.self)
            #expect(error.code == "INVALID_CONFIG")
            let problems = try #require(error.problems)
            #expect(problems.map(\.line) == [1, 5])
            #expect(problems.allSatisfy { $0.file == "cortex.yaml" && $0.rendered.contains("^") })
            #expect(server.provider.calls.isEmpty)
        }
    }

    @Test func `what cannot be a deploy has the right status`() async throws {
        try await RunningOperator.run { server in
            let absent = String(repeating: "a", count: 64)
            for (json, status) in [
                ("{", 400), ("[]", 400), ("{}", 400), (#"{"config": 1, "project": "x"}"#, 400),
                (#"{"config": "", "project": "../../etc/passwd"}"#, 400),
                (#"{"config": "", "project": "\#(absent)"}"#, 409),
                (#"{"config": "\#(String(repeating: "x", count: 5 << 20))", "project": "x"}"#, 413),
            ] {
                let answer = try await server.send(.POST, "/v1/deploy", json: json)
                #expect(answer.status == status, "\(json.prefix(60))")
                let error = try answer.decode(ErrorResponse.self)
                #expect(!error.error.isEmpty)
            }
        }
    }

    @Test func `an upload that is not the project it is named for leaves nothing`() async throws {
        try await RunningOperator.run { server in
            let absent = String(repeating: "a", count: 64)
            for body in ["", "not a tar", String(repeating: "\0", count: 1024)] {
                var request = server.request(.PUT, "/v1/projects/\(absent)")
                request.body = .bytes(ByteBuffer(string: body))
                let refused = try await server.send(request)
                #expect(refused.status == 422, "\(body.prefix(20).debugDescription)")
                #expect(try await server.send(.HEAD, "/v1/projects/\(absent)").status == 404)
            }
            var request = server.request(.PUT, "/v1/projects/..%2F..%2Fetc")
            request.body = .bytes(ByteBuffer(string: "x"))
            let answer = try await server.send(request)
            #expect(answer.status == 400)
        }
    }
}
