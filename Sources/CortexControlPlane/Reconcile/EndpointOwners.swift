import CortexSpec

/// Whose each endpoint is: that of the API as it is wanted, and as it still is where the wanted version is not live.
///
/// Kept between deploys, since a thousand APIs would have to be read for each. Only what has changed is read anew, when it is
/// asked for.
struct EndpointOwners {
    private var owners: [String: APIName] = [:]
    private var endpoints: [APIName: Set<String>] = [:]
    /// Those that have to be read anew; nil stands for all.
    private var changed: Set<APIName>?

    /// An API has another deployment, or none, or something else has become of the last one.
    mutating func note(_ api: APIName) {
        self.changed?.insert(api)
    }

    func owner(of endpoint: String) -> APIName? { self.owners[endpoint] }

    /// What has to be read before the owners are right; nil stands for all.
    ///
    /// Whatever is noted from now on counts for the next time.
    mutating func takeChanged() -> Set<APIName>? {
        defer { self.changed = [] }
        return self.changed
    }

    /// Nothing is known for sure: a read has failed.
    mutating func forgetAll() {
        self = EndpointOwners()
    }

    mutating func set(_ endpoints: Set<String>, of api: APIName) {
        for old in self.endpoints[api] ?? [] where self.owners[old] == api { self.owners[old] = nil }
        self.endpoints[api] = endpoints.isEmpty ? nil : endpoints
        for endpoint in endpoints { self.owners[endpoint] = api }
    }
}

extension Reconciler {
    /// The API that has this endpoint; nil where it is free.
    func owner(of endpoint: String) async throws -> APIName? {
        let changed = self.endpointOwners.takeChanged()
        do {
            if let changed {
                for api in changed { try await self.readEndpoints(of: api, try await self.store.wanted(api)) }
            } else {
                for record in try await self.store.allWanted() {
                    try await self.readEndpoints(of: record.deployment.spec.name, record)
                }
            }
        } catch {
            self.endpointOwners.forgetAll()
            throw error
        }
        return self.endpointOwners.owner(of: endpoint)
    }

    private func readEndpoints(of api: APIName, _ wanted: DeploymentRecord?) async throws {
        var endpoints: Set<String> = []
        if let wanted {
            endpoints.insert(wanted.deployment.spec.networking.endpoint)
            if wanted.outcome != .live, let serving = try await self.store.fallback(for: api) {
                endpoints.insert(serving.deployment.spec.networking.endpoint)
            }
        }
        self.endpointOwners.set(endpoints, of: api)
    }
}
