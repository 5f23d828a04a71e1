import CortexSpec
import Testing

@testable import CortexKubernetes
@testable import CortexKubernetesProvider

/// Releases of Kubernetes differ in which versions of a group they have: recorded answers of several.
@Suite(.timeLimit(.minutes(1)))
struct DiscoveryTests {
    struct Recording: Sendable, CustomTestStringConvertible {
        var release: String
        var answers: [String: String]
        var budgets: String?
        var slices: String?

        var testDescription: String { self.release }
    }

    private static func group(_ name: String, _ versions: String...) -> String {
        let listed = versions.map { #"{"groupVersion":"\#(name)/\#($0)","version":"\#($0)"}"# }
        return
            #"{"kind":"APIGroup","apiVersion":"v1","name":"\#(name)","versions":[\#(listed.joined(separator: ","))],"#
            + #""preferredVersion":\#(listed[0])}"#
    }

    static let recordings = [
        Recording(
            release: "1.16, which has no slices",
            answers: ["/apis/policy": Self.group("policy", "v1beta1")],
            budgets: "v1beta1"
        ),
        Recording(
            release: "1.20",
            answers: [
                "/apis/policy": Self.group("policy", "v1beta1"),
                "/apis/discovery.k8s.io": Self.group("discovery.k8s.io", "v1beta1"),
            ],
            budgets: "v1beta1",
            slices: "v1beta1"
        ),
        Recording(
            release: "1.21 to 1.24",
            answers: [
                "/apis/policy": Self.group("policy", "v1", "v1beta1"),
                "/apis/discovery.k8s.io": Self.group("discovery.k8s.io", "v1", "v1beta1"),
            ],
            budgets: "v1",
            slices: "v1"
        ),
        Recording(
            release: "1.25 and later",
            answers: [
                "/apis/policy": Self.group("policy", "v1"),
                "/apis/discovery.k8s.io": Self.group("discovery.k8s.io", "v1"),
            ],
            budgets: "v1",
            slices: "v1"
        ),
        Recording(
            release: "one that only has what nobody knows yet",
            answers: ["/apis/policy": Self.group("policy", "v3alpha1")]
        ),
    ]

    @Test(arguments: Self.recordings)
    func `the newest version that both know is used`(_ recording: Recording) async throws {
        let found = try await RecordedServer(answers: recording.answers).withClient { client in
            let versions = ["v1", "v1beta1"]
            return [
                try await client.discover(group: "policy", preferring: versions),
                try await client.discover(group: "discovery.k8s.io", preferring: versions),
            ]
        }
        #expect(found == [recording.budgets, recording.slices])
    }

    @Test func `an operator reads budgets where the release has them`() async throws {
        let list = #"{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}"#
        let budgets = #"""
            {"kind":"PodDisruptionBudgetList","apiVersion":"policy/v1","metadata":{"resourceVersion":"7"},"items":[
            {"metadata":{"name":"api-iris","labels":{"cortex.dev/api":"iris"},"annotations":{"cortex.dev/applied":"abc"}},"spec":{"maxUnavailable":1},
            "status":{"disruptionsAllowed":0,"currentHealthy":0,"desiredHealthy":0,"expectedPods":0,
            "conditions":[{"type":"DisruptionAllowed","status":"False","reason":"InsufficientPods"}]}}]}
            """#
        var answers = Self.recordings[3].answers
        for path in ["/api/v1", "/apis/apps/v1"] {
            for plural in ["secrets", "services", "pods", "deployments"] {
                answers["\(path)/namespaces/cortex/\(plural)"] = list
            }
        }
        answers["/apis/policy/v1/namespaces/cortex/poddisruptionbudgets"] = budgets
        let applied = try await RecordedServer(answers: answers).withClient { client in
            let provider = KubernetesProvider(
                client: client,
                store: ClusterStore(client: client, logger: client.logger),
                settings: Sample.settings,
                isLeading: { true },
                logger: client.logger
            )
            try await provider.read()
            return await provider.applied
        }
        #expect(applied.names(.disruptionBudgets, of: try #require(APIName("iris"))) == ["api-iris"])
    }
}
