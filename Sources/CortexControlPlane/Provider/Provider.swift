package import CortexSpec

/// Where replicas come from: this machine, or a cluster.
///
/// The control plane says what is wanted, in any order and at any time; a provider makes it so and tells what it sees.
/// Every method returns once the wish is noted; what comes of it arrives as events and observations.
package protocol Provider: Sendable {
    /// Makes `deployment` the wanted version of its API.
    ///
    /// The version that serves now goes on until the new one is ready, and for good where the new one fails.
    /// - Parameter fallback: The last version that was live, started first where nothing serves yet (a server that was
    ///   stopped in the middle of an update); nil where there is none, or where it is `deployment` itself.
    func apply(_ deployment: Deployment, fallback: Deployment?) async

    /// Makes `splitter` the wanted version of its resource.
    ///
    /// The one that serves now goes on until the APIs of the new one have been live.
    /// - Parameter fallback: See the method for APIs.
    func apply(_ splitter: SplitterDeployment, fallback: SplitterDeployment?) async

    /// Has an API run so many replicas from now on: no fewer than its `min_replicas`, no more than its `max_replicas`, and no
    /// more than its machines bear; a new version of it begins with as many.
    ///
    /// - Returns: How many it is to have; nil where the provider knows none of that name.
    @discardableResult
    func scale(_ api: APIName, to replicas: Int) async -> Int?

    /// What each API bears now; to be asked every second.
    func loads() async -> [APIName: APILoad]

    /// Looks at the models that specs name, where they are kept, before the specs are accepted.
    ///
    /// - Parameters:
    ///   - project: The content hash of the project, which is stored.
    ///   - projectDirectory: See ``Deployment/projectDirectory``.
    /// - Returns: What is wrong, by API, in the order of each API's paths; warnings among it.
    func modelProblems(
        of specs: [APISpec],
        project: String,
        projectDirectory: String?
    ) async -> [APIName: [FieldProblem]]

    /// Holds what specs ask of the machines (`compute`, `networking.api_keys`) against what there is, before the specs are
    /// accepted.
    ///
    /// - Returns: What is wrong, by API; warnings among it.
    func computeProblems(of specs: [ResourceSpec]) async -> [APIName: [FieldProblem]]

    /// Takes the API or splitter away: its route at once, its replicas once they have answered what they hold.
    func remove(_ api: APIName) async

    /// What is seen of an API or splitter now; nil where the provider knows none of that name.
    func observation(of api: APIName) async -> APIObservation?

    /// The models of an API and what is known of them; empty where it has none.
    func models(of api: APIName) async -> ModelObservations

    /// Lines of the API's log, oldest first.
    /// - Parameters:
    ///   - last: At most this many lines that are there already.
    ///   - follow: Whether the stream goes on with lines to come, until its consumer stops.
    func logLines(
        of api: APIName,
        last: Int,
        follow: Bool,
        as form: LogForm
    ) async throws -> AsyncThrowingStream<String, any Error>

    /// Frees what the provider keeps on disk for no API.
    ///
    /// - Parameters:
    ///   - isDryRun: Whether it is only counted.
    ///   - environments: Those that stay although no worker runs in them, by the names of ``ProviderEvent/environment``.
    func prune(isDryRun: Bool, keeping environments: Set<String>) async throws -> PruneReport

    /// What happened, in order, for all APIs; has one consumer.
    var events: AsyncStream<ProviderEvent> { get }
}

/// What a provider sees of an API.
package struct APIObservation: Hashable, Sendable {
    package var status: APIStatus
    /// Why it is so, in a sentence; nil while all is well.
    package var reason: String?
    /// What is being done to bring the newest version up (`downloading numpy: 3 of 16 MiB`); nil where that is nothing that
    /// takes time.
    package var progress: String?
    /// The version that answers requests; nil while none does.
    package var servingVersion: Int?
    package var replicas: ReplicaCounts
    /// Each of them, those that end among them, in the order in which they were started.
    package var eachReplica: [ReplicaObservation]
    /// Of a splitter: each API of it that is wanted, in its order.
    package var targets: [TargetObservation]
    package var requests: RequestStatistics
    /// Where requests go, such as `http://localhost:8888/iris`.
    package var endpoint: String

    package init(
        status: APIStatus,
        reason: String? = nil,
        progress: String? = nil,
        servingVersion: Int? = nil,
        replicas: ReplicaCounts = ReplicaCounts(),
        eachReplica: [ReplicaObservation] = [],
        targets: [TargetObservation] = [],
        requests: RequestStatistics = RequestStatistics(),
        endpoint: String
    ) {
        self.status = status
        self.reason = reason
        self.progress = progress
        self.servingVersion = servingVersion
        self.replicas = replicas
        self.eachReplica = eachReplica
        self.targets = targets
        self.requests = requests
        self.endpoint = endpoint
    }
}

/// Replicas of an API by what can be said of them.
package struct ReplicaCounts: Hashable, Sendable, Codable {
    /// Wanted now.
    package var requested: Int
    /// Ready, of the newest version.
    package var ready: Int
    /// Ready, of an older version.
    package var stale: Int
    /// Of the newest version, and not able to run.
    package var failed: Int

    package init(requested: Int = 0, ready: Int = 0, stale: Int = 0, failed: Int = 0) {
        self.requested = requested
        self.ready = ready
        self.stale = stale
        self.failed = failed
    }
}

/// Predictions that an API answered since the server started.
package struct RequestStatistics: Hashable, Sendable, Codable {
    package var code2xx: Int
    package var code4xx: Int
    package var code5xx: Int
    /// Mean time from a request's arrival to its answer; nil before the first.
    package var averageMilliseconds: Double?

    package init(code2xx: Int = 0, code4xx: Int = 0, code5xx: Int = 0, averageMilliseconds: Double? = nil) {
        self.code2xx = code2xx
        self.code4xx = code4xx
        self.code5xx = code5xx
        self.averageMilliseconds = averageMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case code2xx = "code_2xx"
        case code4xx = "code_4xx"
        case code5xx = "code_5xx"
        case averageMilliseconds = "latency"
    }
}

/// A step in the life of an API, recorded by the control plane and shown by `cortex describe`.
package struct ProviderEvent: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Work began on a step (`building environment`, `starting replica`).
        case progress
        /// The version answers requests from now on.
        case live
        /// The version will not come up; `message` says why.
        case failed
        /// A worker ended and is being replaced.
        case workerExited = "worker_exited"
        /// A worker ends again and again; its further ends are not told one by one.
        case crashLoop = "crash_loop"
        /// Another number of replicas is wanted.
        case scaled
        case removed
    }

    package var api: APIName
    package var version: Int
    package var kind: Kind
    package var message: String
    /// The environment that the version's workers run in, by a name of the provider's own; nil where this does not tell.
    package var environment: String?

    package init(api: APIName, version: Int, kind: Kind, message: String, environment: String? = nil) {
        self.api = api
        self.version = version
        self.kind = kind
        self.message = message
        self.environment = environment
    }
}
