import CortexSpec
import NIOHTTP1
import Testing

@testable import CortexControlPlane

/// Where projects are kept, as the operator's API tells.
@Suite(.timeLimit(.minutes(1))) struct OperatorProjectStoreTests {
    @Test func `a disk of its own needs no words`() async throws {
        try await RunningOperator.run { server in
            let answer = try await server.send(.GET, "/v1/projects")
            #expect(answer.status == 200)
            #expect(try answer.decode(ProjectStoreReport.self) == ProjectStoreReport(place: nil, problem: nil))
        }
    }

    @Test func `a place that cannot be used is told wherever it is needed, and mended without a restart`() async throws
    {
        let archives = FakeArchives()
        await archives.fail(FakeArchives.refusal)
        try await RunningOperator.run(archives: archives) { server in
            let report = try await server.send(.GET, "/v1/projects").decode(ProjectStoreReport.self)
            #expect(report == ProjectStoreReport(place: archives.name, problem: FakeArchives.refusal.description))
            let (request, hash) = try await server.uploadRequest()
            for answer in [
                try await server.send(request),
                try await server.send(.GET, "/v1/projects/\(hash)"),
                try await server.deploy(RunningOperator.iris, project: "\(hash)"),
            ] {
                #expect(answer.status == 502)
                let error = try answer.decode(ErrorResponse.self)
                #expect(error.code == "PROJECT_STORE_FAILED")
                #expect(error.error == FakeArchives.refusal.description)
            }
            #expect(try await server.send(.HEAD, "/v1/projects/\(hash)").status == 502)
            #expect(try await server.send(.GET, "/v1/apis").body == "[]\n")

            await archives.fail(nil)
            let stored = try await server.upload()
            #expect(await archives.hashes == [stored])
            #expect(try await server.deploy(RunningOperator.iris, project: "\(stored)").status == 200)
        }
    }
}
