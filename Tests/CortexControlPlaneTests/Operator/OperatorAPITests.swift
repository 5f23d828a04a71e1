import AsyncHTTPClient
import CortexControlPlane
import CortexSpec
import NIOCore
import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperatorAPITests {
    @Test func `an API is listed, shown and deleted`() async throws {
        try await RunningOperator.run { server in
            #expect(try await server.send(.GET, "/v1/apis").body == "[]\n")
            let hash = try await server.upload()
            _ = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            let list = try await server.send(.GET, "/v1/apis").decode([APIResponse].self)
            #expect(list.map(\.spec.name) == [try .of("iris")])
            #expect(list.first?.status.code == .updating)
            server.provider.report(.live, try .of("iris"), version: 1)
            let api = try await server.send(.GET, "/v1/apis/iris").decode(APIResponse.self)
            #expect(api.status.code == .live)
            #expect(api.status.servingVersion == 1)
            #expect(api.endpoint == "http://localhost:8888/iris")

            let deleted = try await server.send(.DELETE, "/v1/apis/iris")
            #expect(try deleted.decode([String: String].self) == ["message": "deleting iris"])
            #expect(server.provider.calls.last == .remove(try .of("iris")))
            #expect(try await server.send(.DELETE, "/v1/apis/iris").status == 404)
        }
    }

    @Test(arguments: [
        "/v1/apis/none", "/v1/apis/none/logs", "/v1/apis/none/events", "/v1/apis/..%2F..", "/v1/apis/%00",
    ])
    func `an unknown API is told with what there is`(path: String) async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            _ = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            let answer = try await server.send(.GET, path)
            #expect(answer.status == 404)
            let error = try answer.decode(ErrorResponse.self)
            #expect(error.code == "API_NOT_FOUND")
            #expect(error.hint == "deployed are iris")
        }
    }

    @Test func `secrets are masked`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let config =
                RunningOperator.iris + """

                        env: {DB_PASSWORD: hunter2, TOKENIZER: gpt2, AWS_SECRET_ACCESS_KEY: hunter2}
                        config: {api_key: hunter2, max_tokens: 512, nested: [{password: hunter2}], key: plain}
                    """
            #expect(try await server.deploy(config, project: "\(hash)").status == 200)
            let answer = try await server.send(.GET, "/v1/apis/iris")
            #expect(!answer.body.contains("hunter2"))
            let spec = try #require(try answer.decode(APIResponse.self).spec.api)
            #expect(
                spec.predictor.env == ["DB_PASSWORD": "****", "TOKENIZER": "gpt2", "AWS_SECRET_ACCESS_KEY": "****"]
            )
            #expect(spec.predictor.config["max_tokens"] == .int(512))
            #expect(spec.predictor.config["key"] == .string("plain"))
            let wanted = try await server.reconciler.api(try .of("iris"))?.wanted.deployment.spec.api
            #expect(wanted?.predictor.env["DB_PASSWORD"] == "hunter2")
        }
    }

    @Test func `logs are given, and followed until the client leaves`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            _ = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            for line in ["one", "two", "three"] { server.provider.write(line, to: try .of("iris")) }
            #expect(try await server.send(.GET, "/v1/apis/iris/logs?last=2").body == "two\nthree\n")
            let json = try await server.send(.GET, "/v1/apis/iris/logs?last=1&json=true")
            #expect(json.body == "{\"message\":\"three\"}\n")

            try await self.follow(server)
            // Dropping the answer has closed the connection.
            var left = server.provider.left.makeAsyncIterator()
            #expect(await left.next() != nil)
            let after = try await server.send(.GET, "/v1/apis")
            #expect(after.status == 200)
        }
    }

    private func follow(_ server: RunningOperator) async throws {
        let response = try await HTTPClient.shared.execute(
            server.request(.GET, "/v1/apis/iris/logs?last=1&follow=true"),
            deadline: .distantFuture
        )
        var body = response.body.makeAsyncIterator()
        #expect(try await body.next().map { String(buffer: $0) } == "three\n")
        server.provider.followedSource.yield("four")
        #expect(try await body.next().map { String(buffer: $0) } == "four\n")
    }

    @Test(arguments: ["last=-1", "last=x", "last=99999999999999999999", "follow=maybe", "json=2"])
    func `parameters out of bounds are refused`(query: String) async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            _ = try await server.deploy(RunningOperator.iris, project: "\(hash)")
            #expect(try await server.send(.GET, "/v1/apis/iris/logs?\(query)").status == 400)
        }
    }
}
