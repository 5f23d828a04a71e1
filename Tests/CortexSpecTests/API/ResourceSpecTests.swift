import CortexSpec
import Foundation
import Testing

/// Specs of all kinds lie in one column, and are told apart by their kind.
@Suite struct ResourceSpecTests {
    /// A row of the first release that had splitters; never edited.
    private static let firstSplitter = #"""
        {"apis":[{"name":"a","shadow":false,"weight":100},{"name":"b","shadow":true,"weight":20}],
        "kind":"TrafficSplitter","name":"split","networking":{"allow_origins":["*"],"api_keys":[],"endpoint":"/split",
        "max_body_size":1073741824,"timeout":"5m0s"}}
        """#

    private static func splitter() throws -> ResourceSpec {
        .splitter(
            TrafficSplitterSpec(
                name: try #require(APIName("split")),
                networking: NetworkingSpec(endpoint: "/split"),
                apis: [
                    .init(name: try #require(APIName("a")), weight: 100),
                    .init(name: try #require(APIName("b")), weight: 20, shadow: true),
                ]
            )
        )
    }

    @Test func `a row of a splitter is read`() throws {
        let spec = try JSONDecoder().decode(ResourceSpec.self, from: Data(Self.firstSplitter.utf8))
        #expect(spec == (try Self.splitter()))
        #expect(spec.kind == .trafficSplitter && spec.api == nil && spec.splitter != nil)
    }

    @Test func `what is written is read as the same`() throws {
        let api = ResourceSpec.api(
            APISpec(
                name: try #require(APIName("iris")),
                predictor: PredictorSpec(path: "predictor.py"),
                networking: NetworkingSpec(endpoint: "/iris")
            )
        )
        for spec in [api, try Self.splitter()] {
            let data = try JSONEncoder().encode(spec)
            #expect(try JSONDecoder().decode(ResourceSpec.self, from: data) == spec)
        }
    }

    @Test func `only another wish has another identity`() throws {
        guard case .splitter(var other) = try Self.splitter() else { return }
        #expect(try Self.splitter().identity == ResourceSpec.splitter(other).identity)
        other.apis[1].weight = 21
        #expect(try Self.splitter().identity != ResourceSpec.splitter(other).identity)
    }
}
