package import CortexSpec
package import Foundation

/// An API as the operator and `-o json` show it; secrets are masked.
package struct APIResponse: Hashable, Sendable, Codable {
    package var spec: ResourceSpec
    package var status: Status
    package var metrics: Metrics
    package var endpoint: String
    package var deployment: DeploymentSummary
    /// Versions of the API's models; nil where it has none, and in lists of APIs.
    package var models: [ModelObservation]?
    /// What is wrong with the places that its models come from; nil where nothing is.
    package var modelTroubles: [String]?
    /// The APIs that a splitter leads requests to, in its order; nil for an API.
    package var targets: [Target]?

    private enum CodingKeys: String, CodingKey {
        case spec, status, metrics, endpoint, deployment, models, targets
        case modelTroubles = "model_troubles"
    }

    package struct Status: Hashable, Sendable, Codable {
        package var code: APIStatus
        /// The words for people.
        package var message: String
        package var reason: String?
        /// What is being done to bring the newest version up, while that takes time.
        package var progress: String?
        package var servingVersion: Int?
        package var replicaCounts: ReplicaCounts
        /// Nil where there is none.
        package var replicas: [ReplicaObservation]?

        private enum CodingKeys: String, CodingKey {
            case message, reason, progress, replicas
            case code = "status_code"
            case servingVersion = "serving_version"
            case replicaCounts = "replica_counts"
        }
    }

    package struct Metrics: Hashable, Sendable, Codable {
        package var networkStatistics: RequestStatistics

        private enum CodingKeys: String, CodingKey { case networkStatistics = "network_stats" }
    }

    /// An API of a splitter.
    package struct Target: Hashable, Sendable, Codable {
        package var name: APIName
        package var weight: Int
        package var shadow: Bool
        /// Nil where no such API is known, as `message` then says.
        package var code: APIStatus?
        /// The words for people.
        package var message: String
        /// Replicas that are wanted.
        package var requested: Int
        /// When it was deployed last; nil in lists of APIs.
        package var lastUpdated: Date?
        /// Of what the splitter has led to it; of a shadow, the copies.
        package var networkStatistics: RequestStatistics

        private enum CodingKeys: String, CodingKey {
            case name, weight, shadow, message, requested
            case code = "status_code"
            case lastUpdated = "last_updated"
            case networkStatistics = "network_stats"
        }
    }
}

/// A deployment of an API: the wanted one, or one of its history.
package struct DeploymentSummary: Hashable, Sendable, Codable {
    package var id: String
    package var version: Int
    package var project: String
    package var deployedBy: String
    package var lastUpdated: Date
    /// `pending`, `live`, `failed` or `superseded`.
    package var outcome: String
    package var reason: String?

    private enum CodingKeys: String, CodingKey {
        case id, version, project, outcome, reason
        case deployedBy = "deployed_by"
        case lastUpdated = "last_updated"
    }
}

extension APIResponse {
    /// - Parameter baseURL: Where the data port is, for an API that the provider has not heard of yet.
    init(_ state: APIState, baseURL: String) {
        let record = state.wanted
        self.spec = record.deployment.spec.masked
        let observation = state.observation
        let status = observation?.status ?? .updating
        self.status = Status(
            code: status,
            message: status.label,
            reason: observation?.reason ?? record.outcome.reason,
            progress: observation?.progress,
            servingVersion: observation?.servingVersion,
            replicaCounts: observation?.replicas ?? ReplicaCounts(),
            replicas: observation.flatMap { $0.eachReplica.isEmpty ? nil : $0.eachReplica }
        )
        self.metrics = Metrics(networkStatistics: observation?.requests ?? RequestStatistics())
        self.endpoint = observation?.endpoint ?? baseURL + record.deployment.spec.networking.endpoint
        self.deployment = DeploymentSummary(record)
        self.models = state.models.versions.isEmpty ? nil : state.models.versions
        self.modelTroubles = state.models.troubles.isEmpty ? nil : state.models.troubles
        self.targets = record.deployment.spec.splitter.map { _ in
            (observation?.targets ?? []).map { Target($0, lastUpdated: state.targetUpdates[$0.target.name]) }
        }
    }
}

extension APIResponse.Target {
    fileprivate init(_ observation: TargetObservation, lastUpdated: Date?) {
        self.init(
            name: observation.target.name,
            weight: observation.target.weight,
            shadow: observation.target.shadow,
            code: observation.status,
            message: observation.status?.label ?? "not deployed",
            requested: observation.requested,
            lastUpdated: lastUpdated,
            networkStatistics: observation.requests
        )
    }
}

extension DeploymentSummary {
    init(_ record: DeploymentRecord) {
        self.init(
            id: record.deployment.id,
            version: record.deployment.version,
            project: record.deployment.project,
            deployedBy: record.deployedBy,
            lastUpdated: record.createdAt,
            outcome: record.outcome.word,
            reason: record.outcome.reason
        )
    }
}

/// One line of a deploy's answer: what became of one API of the file.
package struct DeployResponse: Hashable, Sendable, Codable {
    /// Nil where the API is not deployed.
    package var api: APIResponse?
    package var message: String
    /// Empty where the deploy was taken.
    package var error: String
    /// What is worth knowing of the API's models though it is deployed; nil where there is nothing.
    package var warnings: [ConfigProblem]?

    // Written by hand, since `null` must be there for an API that is not.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.api, forKey: .api)
        try container.encode(self.message, forKey: .message)
        try container.encode(self.error, forKey: .error)
        try container.encodeIfPresent(self.warnings, forKey: .warnings)
    }

    private enum CodingKeys: String, CodingKey { case api, message, error, warnings }
}

/// What `POST /v1/deploy` takes.
package struct DeployBody: Hashable, Sendable, Codable {
    package var config: String
    package var configFile: String
    package var project: String
    /// Absolute; nil from another machine than the server's.
    package var projectDirectory: String?
    package var force: Bool

    package init(config: String, configFile: String, project: String, projectDirectory: String? = nil, force: Bool) {
        self.config = config
        self.configFile = configFile
        self.project = project
        self.projectDirectory = projectDirectory
        self.force = force
    }

    private enum CodingKeys: String, CodingKey {
        case config, project, force
        case configFile = "config_file"
        case projectDirectory = "project_directory"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.config = try container.decode(String.self, forKey: .config)
        self.configFile = try container.decodeIfPresent(String.self, forKey: .configFile) ?? "cortex.yaml"
        self.project = try container.decode(String.self, forKey: .project)
        self.projectDirectory = try container.decodeIfPresent(String.self, forKey: .projectDirectory)
        self.force = try container.decodeIfPresent(Bool.self, forKey: .force) ?? false
    }
}
