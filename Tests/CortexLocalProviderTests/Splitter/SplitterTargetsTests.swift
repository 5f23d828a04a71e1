import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexLocalProvider

@Suite struct SplitterTargetsTests {
    /// - Parameter text: `a live 3`: an API with its status and the version that serves, `-` where none does.
    private static func seen(_ text: String, weight: Int = 50, shadow: Bool = false) throws -> SplitterTargets.Seen {
        let words = text.split(separator: " ").map(String.init)
        let target = TrafficSplitterSpec.Target(
            name: try #require(APIName(words[0])),
            weight: weight,
            shadow: shadow
        )
        guard words.count > 1 else { return SplitterTargets.Seen(target: target, api: nil) }
        let api = APIObservation(
            status: try #require(APIStatus(rawValue: "status_\(words[1])")),
            reason: words[1] == "live" ? nil : "why",
            servingVersion: Int(words[2]),
            endpoint: ""
        )
        return SplitterTargets.Seen(target: target, api: api)
    }

    private static func targets(_ texts: [String]) throws -> SplitterTargets {
        SplitterTargets(each: try texts.map { try Self.seen($0) })
    }

    @Test(arguments: [
        (["a live 1", "b live 2"], SplitterTargets.Prospect.ready),
        // An older version of it answers.
        (["a rollout_failed 1", "b updating 1"], .ready),
        (["a live 1", "b updating -"], .waiting(reason: "waiting: b is updating: why")),
        (["a live 1", "b stalled -"], .waiting(reason: "waiting: b is compute unavailable: why")),
        (["a", "b updating -"], .waiting(reason: "waiting: a is not there; b is updating: why")),
        (["a updating -", "b error -"], .failed(reason: "b is error: why")),
        (["a oom -", "b error -"], .failed(reason: "a is error (out of memory): why; b is error: why")),
    ])
    func `it begins to serve once each of its APIs has come up`(
        _ apis: [String],
        _ expected: SplitterTargets.Prospect
    ) throws {
        #expect(try Self.targets(apis).prospect == expected)
    }

    @Test func `what gets no requests is not waited for`() throws {
        let targets = SplitterTargets(each: [
            try Self.seen("a live 1", weight: 100), try Self.seen("parked error -", weight: 0),
            try Self.seen("dark error -", weight: 50, shadow: true),
        ])
        #expect(targets.prospect == .ready)
        #expect(targets.status == (.live, nil))
    }

    @Test(arguments: [
        (["a live 1", "b rollout_failed 2"], APIStatus.live, nil),
        (["a live 1", "b crash_loop 2"], .error, "b is error (crash loop): why"),
        (["a live 1", "b updating -"], .updating, "waiting: b is updating: why"),
    ])
    func `once it serves it is as well as its APIs are`(_ apis: [String], _ status: APIStatus, _ reason: String?) throws
    {
        #expect(try Self.targets(apis).status == (status, reason))
    }
}
