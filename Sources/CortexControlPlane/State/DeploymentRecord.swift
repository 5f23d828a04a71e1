package import CortexSpec
package import Foundation

/// One accepted deploy, as the store keeps it for good.
package struct DeploymentRecord: Hashable, Sendable {
    package var deployment: ResourceDeployment<ResourceSpec>
    package var identity: DeploymentIdentity
    /// The config file as the user sent it.
    package var config: String
    /// Its name, without a folder.
    package var configFile: String
    /// The name of the token that the deploy came with.
    package var deployedBy: String
    package var createdAt: Date
    package var outcome: DeploymentOutcome

    package init(
        deployment: ResourceDeployment<ResourceSpec>,
        identity: DeploymentIdentity,
        config: String,
        configFile: String,
        deployedBy: String,
        createdAt: Date,
        outcome: DeploymentOutcome
    ) {
        self.deployment = deployment
        self.identity = identity
        self.config = config
        self.configFile = configFile
        self.deployedBy = deployedBy
        self.createdAt = createdAt
        self.outcome = outcome
    }
}

/// What became of a deploy.
package enum DeploymentOutcome: Hashable, Sendable {
    /// Coming up. Next: `live`, `failed`, `superseded`.
    case pending
    /// Answered requests at some time, and may do so still. Next: `failed`, where a later start fails.
    case live
    /// Did not come up; the reason is a sentence. Next: `live`, where a later start succeeds.
    case failed(reason: String)
    /// Replaced before it came up. Final.
    case superseded
}

/// What two deploys of an API are compared by.
package struct DeploymentIdentity: Hashable, Sendable, Codable {
    /// SHA-256 of the whole spec; tells whether the user changed anything.
    package var spec: String
    /// SHA-256 of what a worker is started from; tells whether replicas need replacing.
    package var predictor: String
    /// The project's content hash.
    package var project: String

    package init(spec: String, predictor: String, project: String) {
        self.spec = spec
        self.predictor = predictor
        self.project = project
    }
}

/// One row of the table of events.
package struct EventRecord: Hashable, Sendable, Codable {
    package var id: Int64
    package var at: Date
    package var api: APIName
    package var version: Int
    package var kind: String
    package var message: String

    package init(id: Int64, at: Date, api: APIName, version: Int, kind: String, message: String) {
        self.id = id
        self.at = at
        self.api = api
        self.version = version
        self.kind = kind
        self.message = message
    }

    /// All kinds: what users asked for, and what the provider told.
    static let kinds =
        DeploymentDraft.Cause.allCases.map(\.rawValue) + ["deleted"] + ProviderEvent.Kind.allCases.map(\.rawValue)
}
