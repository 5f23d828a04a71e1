import Crypto
package import CortexSpec
import Foundation

extension DeploymentIdentity {
    /// The identity of a spec and a project: comments, the order of keys, and defaults written out make no difference.
    package init(spec: ResourceSpec, project: String) throws {
        let identity = Self.hash(try spec.identity)
        // A splitter has no workers.
        let workers = try spec.api.map { Self.hash(try "\($0.name)\n\(project)\n\($0.workerIdentity)") }
        self.init(spec: identity, predictor: workers ?? identity, project: project)
    }

    private static func hash(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
