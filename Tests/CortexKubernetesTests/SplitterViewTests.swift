import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexKubernetesProvider

struct SplitterViewTests {
    private func deployment(_ version: Int) throws -> SplitterDeployment {
        let names = try ["a", "b"].map { try #require(APIName($0)) }
        return SplitterDeployment(
            id: "id\(version)",
            version: version,
            spec: TrafficSplitterSpec(
                name: try #require(APIName("ab")),
                networking: NetworkingSpec(endpoint: "/ab"),
                apis: [.init(name: names[0], weight: 50), .init(name: names[1], weight: 50)]
            ),
            project: ""
        )
    }

    private func targets(_ deployment: SplitterDeployment, _ statuses: [(APIStatus, serving: Int?)?]) -> SplitterTargets
    {
        SplitterTargets(
            each: zip(deployment.spec.apis, statuses).map { target, status in
                let api = status.map { APIObservation(status: $0.0, servingVersion: $0.serving, endpoint: "") }
                return SplitterTargets.Seen(target: target, api: api)
            }
        )
    }

    @Test func `it serves once all of its APIs have been there`() throws {
        let first = try self.deployment(1)
        var view = SplitterView(wanted: first, serving: nil)
        let coming = self.targets(first, [(.live, 1), (.updating, nil)])
        #expect(view.reconsider(coming).map(\.kind) == [.progress])
        #expect(view.reconsider(coming).isEmpty)
        #expect(!view.isServed)
        #expect(view.status(coming).0 == .updating)
        let there = self.targets(first, [(.live, 1), (.live, 1)])
        #expect(view.reconsider(there).map(\.kind) == [.live])
        #expect(view.status(there).0 == .live)
        #expect(view.reconsider(there).isEmpty)
    }

    @Test func `the one before serves on while an API of the new one fails`() throws {
        let (first, second) = (try self.deployment(1), try self.deployment(2))
        var view = SplitterView(wanted: first, serving: nil)
        _ = view.reconsider(self.targets(first, [(.live, 1), (.live, 1)]))
        view.apply(second, fallback: nil)
        let broken = self.targets(second, [(.live, 1), (.error, nil)])
        #expect(view.reconsider(broken).map(\.kind) == [.failed])
        #expect(view.reconsider(broken).isEmpty)
        #expect(view.serving?.id == first.id)
        #expect(view.status(broken).0 == .rolloutFailed)
    }

    @Test func `what was live under the operator before serves at once`() throws {
        var first = try self.deployment(1)
        first.wasLive = true
        var view = SplitterView(wanted: first, serving: nil)
        view.apply(first, fallback: nil)
        #expect(view.isServed)
        #expect(view.stage == .done)
    }
}
