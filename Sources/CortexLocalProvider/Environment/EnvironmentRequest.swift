import CortexControlPlane
import CortexSpec

/// What an API's workers need, and where that is said.
struct EnvironmentRequest: Sendable {
    var api: APIName
    var project: ProjectHash
    /// The unpacked project.
    var projectFolder: String
    var spec: APISpec
    /// Those of the API's workers, with `predictor.env` and `.env`; each step of a build sees them.
    var variables: [String: String]
}
