import Crypto
package import CortexSpec
import Foundation

extension DeploymentIdentity {
    /// The identity of a spec and a project: comments, the order of keys, and defaults written out make no difference.
    package init(spec: APISpec, project: String) throws {
        self.init(
            spec: Self.hash(try spec.identity),
            predictor: Self.hash(try "\(spec.name)\n\(project)\n\(spec.workerIdentity)"),
            project: project
        )
    }

    private static func hash(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
