package import CortexControlPlane
package import CortexKubernetes
package import CortexSpec
package import Logging

/// The provider of a cluster: replicas are pods, which Kubernetes places, restarts and replaces.
///
/// What is wanted of an API becomes a Deployment and what belongs to it (`APIWorkload`); what is seen of it comes from its pods
/// (`PodView`), and is put into words by `APIView`.
package actor KubernetesProvider: Provider {
    package nonisolated let events: AsyncStream<ProviderEvent>
    let emit: AsyncStream<ProviderEvent>.Continuation
    let client: KubernetesClient
    let store: ClusterStore
    let settings: ClusterSettings
    let logger: Logger
    /// Whether this process may write; where it may not, work waits.
    let isLeading: @Sendable () -> Bool
    var apis: [APIName: APIView] = [:]
    /// All pods there are, also of APIs that this process has not heard of yet.
    var pods: [APIName: [String: PodView]] = [:]
    /// What the pods of each workload are made from, and for which deployment they were first made.
    var templateVersions: [APIName: (template: String, version: Int)] = [:]
    /// How many pods each workload is to have, as the cluster knows it.
    var scales: [APIName: Int] = [:]
    var splitters: [APIName: SplitterView] = [:]
    var loads = GatewayLoads()
    var applied = AppliedObjects()
    /// What was last written of each API's status.
    var written: [APIName: JSONValue] = [:]
    var work = WorkQueue()
    let wakeups: AsyncStream<Void>
    let wakeUp: AsyncStream<Void>.Continuation
    /// Which version of budgets the server has.
    var disruptionBudgets: KubernetesResource?
    /// Where users find APIs, without a trailing slash.
    package var endpoint: String
    /// When the service was last asked for an outside address.
    var endpointAskedAt: ContinuousClock.Instant?
    private let started = ContinuousClock.now

    /// - Parameter isLeading: Whether this process may write.
    package init(
        client: KubernetesClient,
        store: ClusterStore,
        settings: ClusterSettings,
        isLeading: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        self.client = client
        self.store = store
        self.settings = settings
        self.isLeading = isLeading
        self.logger = logger
        self.endpoint =
            settings.endpoint ?? "http://\(CortexNames.gatewayName).\(settings.namespace):\(CortexNames.dataPort)"
        // Events are few (steps of deploys and restarts), and each is recorded: none may be dropped.
        (self.events, self.emit) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        (self.wakeups, self.wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// How many replicas are asked for what each knows of its own.
    private static let askedReplicas = 20

    /// On a steady clock.
    var now: Duration { ContinuousClock.now - self.started }

    // MARK: Provider

    package func apply(_ deployment: Deployment, fallback: Deployment?) async {
        let name = deployment.spec.name
        let bounds = deployment.spec.autoscaling
        let template = self.template(of: deployment).hash
        var deployment = deployment
        deployment.projectDirectory = nil
        if var view = self.apis[name] {
            view.wanted = deployment
            view.desired = bounds.bounded(view.desired)
            view.template = template
            view.rollout = .running
            view.refusal = nil
            self.apis[name] = view
        } else {
            self.apis[name] = APIView(
                wanted: deployment,
                serving: fallback ?? (deployment.wasLive ? deployment : nil),
                desired: bounds.bounded(deployment.replicas ?? bounds.initReplicas),
                template: template
            )
            self.adoptPods(of: name)
        }
        await self.store.setReplicas(self.apis[name]?.desired ?? 0, of: name)
        self.settle(name)
        self.enqueue(name)
    }

    package func apply(_ splitter: SplitterDeployment, fallback: SplitterDeployment?) async {
        let name = splitter.spec.name
        var view = self.splitters[name] ?? SplitterView(wanted: splitter, serving: nil)
        view.apply(splitter, fallback: fallback)
        self.splitters[name] = view
        self.reconsider(name)
        self.enqueue(name)
    }

    package func scale(_ api: APIName, to replicas: Int) async -> Int? {
        guard let view = self.apis[api] else { return nil }
        let count = view.wanted.spec.autoscaling.bounded(replicas)
        guard count != view.desired else { return count }
        self.apis[api]?.desired = count
        if count > 0, view.desired == 0, !view.isServing { self.apis[api]?.isWaking = true }
        self.settle(api)
        self.enqueue(api)
        return count
    }

    package func loads() async -> [APIName: APILoad] {
        self.loads.expire(now: self.now)
        return self.apis.reduce(into: [:]) { loads, api in
            loads[api.key] = APILoad(
                spec: api.value.wanted.spec,
                version: api.value.wanted.version,
                requested: api.value.desired,
                isServing: api.value.isServing,
                inFlight: self.loads.inFlight(of: api.key),
                received: self.loads.received(of: api.key)
            )
        }
    }

    package func modelProblems(
        of specs: [APISpec],
        project: String,
        projectDirectory: String?
    ) async -> [APIName: [FieldProblem]] {
        // Who reads the models is the replica, with rights that the operator has not: it says what is wrong.
        [:]
    }

    package func computeProblems(of specs: [ResourceSpec]) async -> [APIName: [FieldProblem]] {
        [:]
    }

    package func remove(_ api: APIName) async {
        if let splitter = self.splitters.removeValue(forKey: api) {
            self.applied.forget(api)
            self.written[api] = nil
            self.loads.forget(api)
            return self.tell(.removed, "deleted", of: api, version: splitter.wanted.version)
        }
        guard let view = self.apis.removeValue(forKey: api) else { return }
        self.loads.forget(api)
        self.written[api] = nil
        // Gone with their owner; a deploy of the same name makes them anew.
        self.applied.forget(api)
        self.tell(.removed, "deleted", of: api, version: view.wanted.version)
    }

    package func observation(of api: APIName) async -> APIObservation? {
        await self.findEndpoint()
        if let splitter = self.splitters[api] {
            return splitter.observation(self.targets(of: splitter.wanted), endpoint: self.endpoint) {
                self.loads.statistics(of: api, $0)
            }
        }
        guard var observation = self.seen(api) else { return nil }
        if observation.status != .live, let words = await self.ownWords(of: api) {
            observation.reason = [observation.reason, words].compactMap(\.self).joined(separator: ": ")
        }
        return observation
    }

    /// What is known of an API without asking anybody.
    func seen(_ api: APIName) -> APIObservation? {
        guard let view = self.apis[api] else { return nil }
        let status = view.status
        return APIObservation(
            status: status.code,
            reason: status.reason,
            progress: view.progress,
            servingVersion: view.serving?.version,
            replicas: view.counts,
            eachReplica: view.eachReplica,
            requests: self.loads.statistics(of: api),
            endpoint: self.endpoint + view.wanted.spec.networking.endpoint
        )
    }

    /// Why a replica that runs does not take requests, as it says itself.
    private func ownWords(of api: APIName) async -> String? {
        guard let view = self.apis[api], case .done = view.rollout,
            let pod = view.pods.values.first(where: { $0.isRunning && !$0.isReady && !$0.isTerminating }),
            let address = pod.address
        else { return nil }
        return await ReplicaQuestion(address: address, port: CortexNames.dataPort, path: "/readyz").answer(503)?[
            "error"
        ]?
        .string
    }

    package func models(of api: APIName) async -> ModelObservations {
        guard let view = self.apis[api], !view.wanted.spec.modelPlaces.isEmpty else { return ModelObservations() }
        let addresses = view.current.filter(\.isRunning).compactMap(\.address).prefix(Self.askedReplicas)
        return await withTaskGroup(of: (Int, ModelObservations?).self) { group in
            for (index, address) in addresses.enumerated() {
                group.addTask {
                    let question = ReplicaQuestion(address: address, port: CortexNames.adminPort, path: "/models")
                    return (index, try? await question.answer()?.decoded(as: ModelObservations.self))
                }
            }
            let told = await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            return told.sorted { $0.key < $1.key }.reduce(into: ModelObservations()) { $0.add($1.value) }
        }
    }

    package func prune(isDryRun: Bool, keeping environments: Set<String>) async throws -> PruneReport {
        PruneReport(isDryRun: isDryRun, items: [], problems: [])
    }

    // MARK: Gateways

    /// Takes what a gateway bears, and wakes the APIs that requests wait for.
    package func receive(_ report: GatewayReport) {
        for api in self.loads.take(report, now: self.now) { self.wake(api) }
    }

    private func wake(_ api: APIName) {
        guard let view = self.apis[api], view.desired == 0 else { return }
        self.apis[api]?.desired = 1
        self.apis[api]?.isWaking = true
        self.tell(.scaled, "replicas 0 → 1: woken by a request", of: api, version: view.wanted.version)
        self.enqueue(api)
    }

    // MARK: Steps

    func tell(_ kind: ProviderEvent.Kind, _ message: String, of api: APIName, version: Int) {
        self.emit.yield(ProviderEvent(api: api, version: version, kind: kind, message: message))
    }

    /// Decides what has become of the newest version, and tells it.
    func settle(_ api: APIName) {
        guard var view = self.apis[api] else { return }
        let count = view.replicas
        let told = view.settle()
        self.apis[api] = view
        for event in told { self.tell(event.kind, event.message, of: api, version: view.wanted.version) }
        if view.replicas != count { self.enqueue(api) }
        for (name, splitter) in self.splitters where splitter.wanted.spec.apis.contains(where: { $0.name == api }) {
            self.reconsider(name)
        }
    }

    /// Looks whether what is wanted of a splitter can serve.
    func reconsider(_ splitter: APIName) {
        guard var view = self.splitters[splitter] else { return }
        let before = view
        let told = view.reconsider(self.targets(of: view.wanted))
        self.splitters[splitter] = view
        for event in told { self.tell(event.kind, event.message, of: splitter, version: view.wanted.version) }
        if view != before || !told.isEmpty || view.isServed { self.enqueue(splitter) }
    }

    func targets(of deployment: SplitterDeployment) -> SplitterTargets {
        SplitterTargets(each: deployment.spec.apis.map { SplitterTargets.Seen(target: $0, api: self.seen($0.name)) })
    }

    func template(of deployment: Deployment, version: Int? = nil) -> ReplicaTemplate {
        ReplicaTemplate(deployment: deployment, version: version ?? deployment.version, settings: self.settings)
    }
}

extension AutoscalingSpec {
    /// The nearest count that is allowed.
    func bounded(_ count: Int) -> Int { min(max(count, self.minReplicas), self.maxReplicas) }
}
