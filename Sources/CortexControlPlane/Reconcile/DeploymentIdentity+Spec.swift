import Crypto
package import CortexSpec
import Foundation

extension DeploymentIdentity {
    /// The identity of a spec and a project: comments, the order of keys, and defaults written out make no difference.
    package init(spec: APISpec, project: String) throws {
        let encoder = StateJSON.encoder()
        let whole = try encoder.encode(spec)
        let started = try encoder.encode(WorkerRelevant(spec: spec, project: project))
        self.init(spec: Self.hash(whole), predictor: Self.hash(started), project: project)
    }

    /// What a worker is started from; a change of anything else needs no other worker.
    private struct WorkerRelevant: Encodable {
        var name: APIName
        var kind: APIKind
        var predictor: PredictorSpec
        var compute: ComputeSpec
        var project: String

        init(spec: APISpec, project: String) {
            self.name = spec.name
            self.kind = spec.kind
            self.predictor = spec.predictor
            self.compute = spec.compute
            self.project = project
        }
    }

    private static func hash(_ data: Data) -> String {
        SHA256.hash(data: data).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
