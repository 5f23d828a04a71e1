import CortexSpec
import Foundation
import Testing

/// What a release has stored, every later one can read.
@Suite struct StoredSpecTests {
    /// A row of the first release; never edited.
    private static let firstRelease = #"""
        {"autoscaling":{"downscale_stabilization_period":"5m0s","downscale_tolerance":0.05,"init_replicas":1,
        "max_downscale_factor":0.75,"max_replica_concurrency":1024,"max_replicas":100,"max_upscale_factor":1.5,
        "min_replicas":1,"upscale_stabilization_period":"1m0s","upscale_tolerance":0.05,"window":"1m0s"},
        "compute":{"gpu":0,"inf":0},"kind":"RealtimeAPI","name":"iris-classifier","networking":{"allow_origins":["*"],
        "api_keys":[],"endpoint":"/iris-classifier","max_body_size":1073741824,"timeout":"5m0s"},
        "predictor":{"config":{"regularisation":1,"seed":7},"env":{},"path":"predictor.py","processes_per_replica":1,
        "threads_per_process":1,"type":"python"},"readiness":{},"update_strategy":{"max_surge":"25%",
        "max_unavailable":"25%"}}
        """#

    private static func spec() throws -> APISpec {
        APISpec(
            name: try #require(APIName("iris-classifier")),
            predictor: PredictorSpec(path: "predictor.py", config: ["regularisation": 1, "seed": 7]),
            networking: NetworkingSpec(endpoint: "/iris-classifier")
        )
    }

    private func decode(_ value: JSONValue) throws -> APISpec {
        try JSONDecoder().decode(APISpec.self, from: JSONEncoder().encode(value))
    }

    @Test func `a row of the first release is read`() throws {
        let spec = try JSONDecoder().decode(APISpec.self, from: Data(Self.firstRelease.utf8))
        #expect(spec == (try Self.spec()))
    }

    /// All members that have a default, which is every member that an earlier release may not have known.
    @Test(arguments: [
        ["kind"], ["networking"], ["compute"], ["autoscaling"], ["update_strategy"], ["readiness"],
        ["predictor", "type"], ["predictor", "env"], ["predictor", "processes_per_replica"],
        ["predictor", "threads_per_process"], ["networking", "timeout"], ["networking", "max_body_size"],
        ["networking", "allow_origins"], ["networking", "api_keys"], ["compute", "gpu"], ["compute", "inf"],
        ["autoscaling", "min_replicas"], ["autoscaling", "max_replicas"], ["autoscaling", "init_replicas"],
        ["autoscaling", "max_replica_concurrency"], ["autoscaling", "window"],
        ["autoscaling", "downscale_stabilization_period"], ["autoscaling", "upscale_stabilization_period"],
        ["autoscaling", "max_downscale_factor"], ["autoscaling", "max_upscale_factor"],
        ["autoscaling", "downscale_tolerance"], ["autoscaling", "upscale_tolerance"],
        ["update_strategy", "max_surge"], ["update_strategy", "max_unavailable"],
    ])
    func `what is missing has its default`(path: [String]) throws {
        var row = try JSONDecoder().decode(JSONValue.self, from: Data(Self.firstRelease.utf8))
        let wasThere = row.remove(path[...])
        try #require(wasThere)
        #expect(try self.decode(row) == (try Self.spec()))
    }

    @Test func `the least that a row can be is read, and what is not known is passed over`() throws {
        let spec = try self.decode(["name": "iris", "predictor": ["path": "p.py", "later": 1], "later": ["x": 1]])
        let name = try #require(APIName("iris"))
        #expect(
            spec
                == APISpec(
                    name: name,
                    predictor: PredictorSpec(path: "p.py"),
                    networking: NetworkingSpec(endpoint: "/iris")
                )
        )
    }

    @Test func `what a row cannot do without is told`() {
        for row: JSONValue in [["name": "iris"], ["predictor": ["path": "p.py"]], ["name": "iris", "predictor": [:]]] {
            #expect(throws: DecodingError.self) { try self.decode(row) }
        }
    }
}

extension JSONValue {
    /// Takes a member away; false where there is none at that path.
    fileprivate mutating func remove(_ path: ArraySlice<String>) -> Bool {
        guard case .object(var members) = self, let key = path.first else { return false }
        defer { self = .object(members) }
        guard path.count > 1 else { return members.removeValue(forKey: key) != nil }
        return members[key]?.remove(path.dropFirst()) ?? false
    }
}
