import AsyncHTTPClient
import CortexControlPlane
import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperatorAccessTests {
    @Test func `monitors need no token, all else does`() async throws {
        try await RunningOperator.run { server in
            for path in ["/metrics", "/livez", "/healthz", "/readyz"] {
                #expect(try await server.send(server.request(.GET, path, authorized: false)).status == 200, "\(path)")
            }
            for (method, path) in [
                (HTTPMethod.GET, "/v1/info"), (.GET, "/v1/apis"), (.GET, "/v1/apis/iris"), (.DELETE, "/v1/apis/iris"),
                (.GET, "/v1/apis/iris/logs"), (.GET, "/v1/apis/iris/events"), (.POST, "/v1/deploy"),
                (.PUT, "/v1/projects/x"), (.HEAD, "/v1/projects/x"), (.GET, "/nothing"), (.GET, "/metrics/"),
            ] {
                let answer = try await server.send(server.request(method, path, authorized: false))
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
            }
        }
    }

    @Test func `a wrong, foreign or revoked token is refused`() async throws {
        try await RunningOperator.run { server in
            for header in ["Bearer wrong", "Bearer ", "Basic \(server.token)", server.token, "Bearer \(server.token)x"]
            {
                var request = server.request(.GET, "/v1/apis", authorized: false)
                request.headers.add(name: "Authorization", value: header)
                let refused = try await server.send(request)
                #expect(refused.status == 401, "\(header)")
            }
            let before = try await server.send(.GET, "/v1/apis")
            #expect(before.status == 200)
            #expect(try await server.tokens.revoke(TokenStore.localName))
            #expect(try await server.send(.GET, "/v1/apis").status == 401)
        }
    }

    @Test(arguments: [
        "evil.example", "evil.example:8889", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]:1",
    ])
    func `a name that was made to point here is refused`(host: String) async throws {
        try await RunningOperator.run { server in
            for path in ["/v1/apis", "/metrics"] {
                var request = server.request(.GET, path)
                request.headers.add(name: "Host", value: host)
                let answer = try await server.send(request)
                #expect(answer.status == 421)
                #expect(try answer.decode(ErrorResponse.self).code == "FOREIGN_HOST")
            }
        }
    }

    @Test(arguments: ["localhost", "LOCALHOST:1", "127.0.0.1:8889", "[::1]:8889"])
    func `loopback names are let in`(host: String) async throws {
        try await RunningOperator.run { server in
            var request = server.request(.GET, "/v1/apis")
            request.headers.add(name: "Host", value: host)
            let answer = try await server.send(request)
            #expect(answer.status == 200)
        }
    }

    @Test func `request ids are kept where they are well formed`() async throws {
        try await RunningOperator.run { server in
            for (given, isKept) in [("abc-1.2_3", true), ("a b", false), (String(repeating: "a", count: 129), false)] {
                var request = server.request(.GET, "/v1/apis/none")
                request.headers.add(name: "X-Request-ID", value: given)
                let answer = try await server.send(request)
                let id = try #require(answer.headers.first(name: "X-Request-ID"))
                #expect((id == given) == isKept)
                #expect(try answer.decode(ErrorResponse.self).requestID == id)
            }
        }
    }

    @Test func `readiness is told with its reason`() async throws {
        try await RunningOperator.run(readiness: .init(isReady: false, summary: "draining")) { server in
            let answer = try await server.send(.GET, "/readyz")
            #expect(answer.status == 503)
            let id = try #require(answer.headers.first(name: "X-Request-ID"))
            #expect(answer.body == "draining \(id)\n")
            #expect(try await server.send(.GET, "/livez").status == 200)
            #expect(try await server.send(.GET, "/metrics").body == "cortex_build_info 1\n")
            #expect(try await server.send(.GET, "/v1/info").decode(ServerRecord.self).version == "1.2.3")
        }
    }
}
