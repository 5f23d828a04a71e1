import CortexControlPlane
import CortexSpec
import Foundation
import Testing

@testable import CortexCommands

/// APIs as the operator answers; decoded, since that is how the command line gets them.
enum SampleAPI {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    static func make(
        _ name: String,
        age: TimeInterval,
        status: APIStatus = .live,
        reason: String? = nil,
        version: Int = 1,
        serving: Int? = 1,
        replicas: ReplicaCounts = ReplicaCounts(requested: 1, ready: 1),
        requests: RequestStatistics = RequestStatistics()
    ) throws -> APIResponse {
        let spec = APISpec(
            name: try #require(APIName(name)),
            predictor: PredictorSpec(path: "predictor.py", config: ["labels": .array([.string("a"), .string("no")])]),
            networking: NetworkingSpec(endpoint: "/\(name)")
        )
        return try Self.make(
            .api(spec),
            age: age,
            status: status,
            reason: reason,
            version: version,
            serving: serving,
            replicas: replicas,
            requests: requests
        )
    }

    /// - Parameter targets: JSON.
    static func make(
        _ spec: ResourceSpec,
        age: TimeInterval,
        status: APIStatus = .live,
        reason: String? = nil,
        version: Int = 1,
        serving: Int? = 1,
        replicas: ReplicaCounts = ReplicaCounts(),
        requests: RequestStatistics = RequestStatistics(),
        targets: String? = nil
    ) throws -> APIResponse {
        let encoder = StateJSON.encoder()
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        let updated = try text([Self.now.addingTimeInterval(-age)]).dropFirst().dropLast()
        let json = """
            {"spec": \(try text(spec)), "endpoint": "http://localhost:8888/\(spec.name)",
             "status": {"status_code": "\(status.rawValue)", "message": "\(status.label)",
                        "reason": \(try text([reason]).dropFirst().dropLast()),
                        "serving_version": \(serving.map { "\($0)" } ?? "null"),
                        "replica_counts": \(try text(replicas))},
             "metrics": {"network_stats": \(try text(requests))},
             "deployment": {"id": "1", "version": \(version), "project": "0123456789abcdef", "deployed_by": "local",
                            "outcome": "live", "last_updated": \(updated)},
             "targets": \(targets ?? "null")}
            """
        return try StateJSON.decoder().decode(APIResponse.self, from: Data(json.utf8))
    }
}
