package import CortexSpec

/// A deployment before the store has numbered it.
package struct DeploymentDraft: Hashable, Sendable {
    package var spec: ResourceSpec
    package var identity: DeploymentIdentity
    package var config: String
    package var configFile: String
    /// See ``Deployment/projectDirectory``.
    package var projectDirectory: String?
    package var deployedBy: String
    package var cause: Cause
    /// The version that it is a repetition of; nil where it is none.
    package var origin: Int?
    /// Of the deployment before it, one more where workers are to be replaced although nothing else has changed.
    package var generation: Int

    /// What a user asked for; also the kind of the event that tells of it.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        case deploy = "deployed"
        case refresh = "refreshed"
        case rollback = "rolled_back"

        /// As a sentence has it.
        package var words: String { self == .rollback ? "rolled back" : self.rawValue }
    }

    package init(
        spec: ResourceSpec,
        identity: DeploymentIdentity,
        config: String,
        configFile: String,
        projectDirectory: String? = nil,
        deployedBy: String,
        cause: Cause = .deploy,
        origin: Int? = nil,
        generation: Int = 0
    ) {
        self.spec = spec
        self.identity = identity
        self.config = config
        self.configFile = configFile
        self.projectDirectory = projectDirectory
        self.deployedBy = deployedBy
        self.cause = cause
        self.origin = origin
        self.generation = generation
    }
}
