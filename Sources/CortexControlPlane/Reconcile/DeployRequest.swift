package import CortexSpec

/// A config file whose specs have been checked, with the project that they are of.
package struct DeployRequest: Hashable, Sendable {
    /// In the order of the file, splitters last.
    package var specs: [ResourceSpec]
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
        specs: [ResourceSpec],
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
    /// What a splitter names is no API that is deployed.
    case missingTargets(APIName, [APIName])

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
        case .missingTargets(let splitter, let names):
            "\(splitter): apis: \(names.map(\.description).joined(separator: ", ")) "
                + "\(names.count == 1 ? "is" : "are") not deployed as a RealtimeAPI; deploy "
                + "\(names.count == 1 ? "it" : "them") first"
        }
    }
}
