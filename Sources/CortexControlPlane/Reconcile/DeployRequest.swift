package import CortexSpec

/// A config file whose specs have been checked, with the project that they are of.
package struct DeployRequest: Hashable, Sendable {
    /// In the order of the file.
    package var specs: [APISpec]
    /// The content hash of the project, which is stored already.
    package var project: String
    /// See ``Deployment/projectDirectory``.
    package var projectDirectory: String?
    /// The file's text.
    package var config: String
    /// The file's name.
    package var configFile: String
    /// Whether an update in progress is replaced.
    package var force: Bool
    /// The name of the token that the request came with.
    package var deployedBy: String

    package init(
        specs: [APISpec],
        project: String,
        projectDirectory: String? = nil,
        config: String,
        configFile: String,
        force: Bool,
        deployedBy: String
    ) {
        self.specs = specs
        self.project = project
        self.projectDirectory = projectDirectory
        self.config = config
        self.configFile = configFile
        self.force = force
        self.deployedBy = deployedBy
    }
}

/// What a deploy did to one API.
package struct DeployResult: Sendable {
    package var api: APIName
    /// The sentence for the user, or why nothing was done.
    package var outcome: Result<String, DeployError>
    /// The deployment that is wanted now; nil where the API is not deployed.
    package var wanted: DeploymentRecord?
}

/// Why one API of a file was not deployed.
package enum DeployError: Error, Hashable, CustomStringConvertible {
    case updating(APIName)
    case kindChanged(APIName, from: APIKind, to: APIKind)
    case endpointTaken(APIName, endpoint: String, owner: APIName)

    package var description: String {
        switch self {
        case .updating(let api):
            "\(api) is updating; wait until it is live or failed, or replace the update with --force"
        case .kindChanged(let api, let old, let new):
            "\(api) is deployed as a \(old.rawValue) and cannot become a \(new.rawValue); "
                + "delete it first: cortex delete \(api)"
        case .endpointTaken(let api, let endpoint, let owner):
            "\(api): networking.endpoint: \(endpoint) belongs to the deployed API \(owner); "
                + "choose another endpoint, or delete \(owner)"
        }
    }
}
