import CortexSpec

/// What to do with one API of a deploy, decided from what is known; does nothing itself.
enum DeployDecision: Equatable {
    /// Not deployed yet.
    case create
    case update
    /// The same as what is wanted already, and up.
    case upToDate
    /// The same as what is wanted already, and still coming up.
    case alreadyUpdating
    case refuse(DeployError)

    /// - Parameters:
    ///   - projectDirectory: The user's folder that the deploy came from, on this machine.
    ///   - current: The wanted deployment of the API; nil where it is not deployed.
    ///   - status: What the provider sees of it; nil where it knows nothing of it yet.
    ///   - owner: Whose its endpoint is, of all APIs.
    init(
        spec: ResourceSpec,
        identity: DeploymentIdentity,
        projectDirectory: String?,
        current: DeploymentRecord?,
        status: APIStatus?,
        owner: APIName?,
        force: Bool
    ) {
        let endpoint = spec.networking.endpoint
        if let owner, owner != spec.name {
            self = .refuse(.endpointTaken(spec.name, endpoint: endpoint, owner: owner))
            return
        }
        guard let current else {
            self = .create
            return
        }
        guard current.deployment.spec.kind == spec.kind else {
            self = .refuse(.kindChanged(spec.name, from: current.deployment.spec.kind, to: spec.kind))
            return
        }
        // Not the identity that is stored: an earlier release may have kept less in a spec, and an upgrade is no change.
        let deployed = try? DeploymentIdentity(spec: current.deployment.spec, project: current.deployment.project)
        let isSame: Bool
        switch spec {
        case .api(let api):
            let isSamePlace = current.deployment.projectDirectory == projectDirectory || !api.hasRelativeModels
            isSame = deployed == identity && isSamePlace
        // Nothing of its project makes a difference to it.
        case .splitter: isSame = deployed?.spec == identity.spec
        }
        switch current.outcome {
        case .failed, .superseded:
            // Deploying the same again is how a user tries again once the cause is gone (a package index, a full disk).
            self = .update
        case .live:
            self = !isSame ? .update : status == .updating ? .alreadyUpdating : .upToDate
        case .pending where isSame:
            self = status.map(Self.isBroken) ?? false ? .update : .alreadyUpdating
        // It has nothing that an update could leave half done.
        case .pending where spec.kind == .trafficSplitter: self = .update
        case .pending:
            // What is visibly broken can be replaced without force.
            let mayReplace = force || status.map(Self.isBroken) ?? false
            self = mayReplace ? .update : .refuse(.updating(spec.name))
        }
    }

    /// Whether there is to be a new deployment.
    var isChange: Bool { self == .create || self == .update }

    /// Why workers are not replaced now; nil where they may be.
    static func refusalToRefresh(_ current: DeploymentRecord, status: APIStatus?, force: Bool) -> DeployError? {
        // Nothing is seen yet of what was only just deployed, and its workers are about to be new anyway.
        let isUpdating = status == .updating || (status == nil && current.outcome == .pending)
        return isUpdating && !force ? .updating(current.deployment.spec.name) : nil
    }

    private static func isBroken(_ status: APIStatus) -> Bool {
        switch status {
        case .live, .updating: false
        case .error, .crashLoop, .outOfMemory, .computeUnavailable, .rolloutFailed: true
        }
    }
}
