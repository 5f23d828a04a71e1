import CortexControlPlane
import CortexSpec
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperatorComputeTests {
    private static let config = """
        - name: iris
          kind: RealtimeAPI
          predictor:
            type: python
            path: predictor.py
          compute:
            mem: 64Gi
            gpu: 2
        """

    @Test func `what the machine does not have is a problem of the config file with its place`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let problem = FieldProblem(
                field: "compute.gpu",
                message: "asks for 2 GPUs, and this machine has 1",
                allowed: "it may be at most 1"
            )
            server.provider.findCompute([problem], of: try .of("iris"))
            let answer = try await server.deploy(Self.config, project: "\(hash)")
            #expect(answer.status == 422)
            let told = try #require(try answer.decode(ErrorResponse.self).problems?.first)
            let line = "cortex.yaml:8:10: iris: \(problem)\n"
            #expect(told.rendered.hasPrefix(line))
            #expect(server.provider.calls.isEmpty)
        }
    }

    @Test func `what is only doubtful is deployed with a warning`() async throws {
        try await RunningOperator.run { server in
            let hash = try await server.upload()
            let warning = FieldProblem(severity: .warning, field: "compute.mem", message: "is 64Gi")
            server.provider.findCompute([warning], of: try .of("iris"))
            let answer = try await server.deploy(Self.config, project: "\(hash)")
            #expect(answer.status == 200)
            let response = try #require(try answer.decode([DeployResponse].self).first)
            #expect(response.warnings?.map(\.line) == [7])
            #expect(server.provider.calls == [.apply(try .of("iris"), version: 1, fallback: nil)])
        }
    }
}
