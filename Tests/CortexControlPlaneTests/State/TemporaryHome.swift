import CortexControlPlane
import CortexSpec
import Foundation

/// A prepared home in a folder of its own, which goes with the value.
final class TemporaryHome: Sendable {
    let home: CortexHome

    init() throws {
        self.home = CortexHome(path: "\(NSTemporaryDirectory())cortex-\(UUID().uuidString)")
        try self.home.prepare()
    }

    deinit { try? FileManager.default.removeItem(atPath: self.home.path) }
}

extension APISpec {
    /// A spec with one thing to vary.
    static func named(_ name: String, threads: Int = 1, endpoint: String? = nil) throws -> APISpec {
        APISpec(
            name: try APIName.of(name),
            predictor: PredictorSpec(path: "predictor.py", threadsPerProcess: threads),
            networking: NetworkingSpec(endpoint: endpoint ?? "/\(name)")
        )
    }
}

extension ResourceSpec {
    /// An API with one thing to vary.
    static func named(_ name: String, threads: Int = 1, endpoint: String? = nil) throws -> ResourceSpec {
        .api(try APISpec.named(name, threads: threads, endpoint: endpoint))
    }

    /// A splitter.
    static func splitter(_ name: String, _ weights: KeyValuePairs<String, Int>, endpoint: String? = nil) throws -> Self
    {
        .splitter(
            TrafficSplitterSpec(
                name: try APIName.of(name),
                networking: NetworkingSpec(endpoint: endpoint ?? "/\(name)"),
                apis: try weights.map { TrafficSplitterSpec.Target(name: try APIName.of($0.key), weight: $0.value) }
            )
        )
    }
}

extension APIName {
    struct Malformed: Error {}

    static func of(_ text: String) throws -> APIName {
        guard let name = APIName(text) else { throw Malformed() }
        return name
    }
}
