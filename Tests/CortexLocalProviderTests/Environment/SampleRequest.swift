import CortexControlPlane
import CortexSpec
import Testing

@testable import CortexLocalProvider

extension EnvironmentRequest {
    /// What an API in `projectFolder` needs; its predictor is `predictor.py`.
    static func sample(
        projectFolder: String,
        type: PredictorType = .python,
        variables: [String: String] = ProcessEnvironment.current.variables
    ) throws -> EnvironmentRequest {
        let name = try #require(APIName("iris"))
        return EnvironmentRequest(
            api: name,
            project: try #require(ProjectHash(String(repeating: "a", count: 64))),
            projectFolder: projectFolder,
            spec: APISpec(
                name: name,
                predictor: PredictorSpec(type: type, path: "predictor.py"),
                networking: NetworkingSpec(endpoint: "/iris")
            ),
            variables: variables
        )
    }
}
