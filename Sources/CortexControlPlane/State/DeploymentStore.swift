package import CortexSpec
package import Foundation

/// What the control plane must not forget: in a file of this machine, or in the objects of a cluster.
///
/// What a method has returned survives `kill -9`.
package protocol DeploymentStore: Sendable {
    /// Makes `draft` the wanted deployment of its API and gives it its id and version.
    ///
    /// A deployment of the API that was coming up is superseded by it.
    func add(_ draft: DeploymentDraft, at now: Date) async throws -> DeploymentRecord

    /// The wanted deployment of an API; nil where it is not deployed.
    func wanted(_ api: APIName) async throws -> DeploymentRecord?

    /// The wanted deployments of all APIs, by name.
    func allWanted() async throws -> [DeploymentRecord]

    /// The newest deployment of an API that was live, other than the wanted one; nil where there is none since the API
    /// was last created.
    func fallback(for api: APIName) async throws -> DeploymentRecord?

    /// Deployments of an API since it was last created, newest first; at most `limit`.
    func history(of api: APIName, limit: Int) async throws -> [DeploymentRecord]

    /// Forgets that the API is wanted.
    /// - Parameter by: The name of the token that the request came with.
    /// - Returns: Whether it was.
    func remove(_ api: APIName, by token: String, at now: Date) async throws -> Bool

    /// Notes an event and what it says of its deployment.
    func record(_ event: ProviderEvent, at now: Date) async throws

    /// Events of an API, oldest first: the last `limit` of those after the event `id`.
    func events(of api: APIName, after id: Int64, limit: Int) async throws -> [EventRecord]

    /// Remembers how many replicas an API is to have.
    func setReplicas(_ count: Int, of api: APIName) async throws

    /// How many replicas an API had last; nil where nobody ever said.
    func replicas(of api: APIName) async throws -> Int?

    /// Keeps what autoscalers remember; of an API that is not wanted any more nothing is kept.
    func save(_ autoscalers: [APIName: Autoscaler]) async throws

    /// What autoscalers remembered last.
    func autoscalers() async throws -> [APIName: Autoscaler]

    /// The environments that the deployed APIs need, as far as they have been told.
    func environmentUses() async throws -> EnvironmentUses

    /// The projects that the deployed APIs need, and when each was deployed.
    func projectUses() async throws -> ProjectUses
}

extension DeploymentStore {
    package func add(_ draft: DeploymentDraft) async throws -> DeploymentRecord {
        try await self.add(draft, at: Date())
    }

    package func remove(_ api: APIName, by token: String) async throws -> Bool {
        try await self.remove(api, by: token, at: Date())
    }

    package func record(_ event: ProviderEvent) async throws {
        try await self.record(event, at: Date())
    }
}

extension StateStore: DeploymentStore {}
