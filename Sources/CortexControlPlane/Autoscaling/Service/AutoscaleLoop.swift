import CortexSpec
package import Logging

/// Has the replicas of every API follow its load: takes a sample each second, and decides every ten.
///
/// It knows no clock but the times that it is given. What autoscalers remember is kept in the store, and so outlives deploys
/// and the server: every minute, at each change, and at the end.
package actor AutoscaleLoop {
    /// Between two times that all is stored, in periods.
    private static let periodsBetweenSaves: Int64 = 6

    private let provider: any Provider
    private let reconciler: Reconciler
    private let store: any DeploymentStore
    private let logger: Logger
    private var records: [APIName: AutoscalerRecord] = [:]
    /// Of the server before this one, until their APIs are seen.
    private var stored: [APIName: Autoscaler] = [:]
    /// The number of the newest period that is over.
    private var decided: Int64?

    package init(provider: any Provider, reconciler: Reconciler, store: any DeploymentStore, logger: Logger) {
        self.provider = provider
        self.reconciler = reconciler
        self.store = store
        self.logger = logger
    }

    /// Runs until the times end.
    /// - Parameter times: Of samples; each second is meant.
    package func run(_ times: some AsyncSequence<Duration, Never> & Sendable) async {
        do {
            self.stored = try await self.store.autoscalers()
        } catch {
            self.logger.error("what autoscalers remember cannot be read", metadata: ["error": "\(error)"])
        }
        for await time in times { await self.sample(at: time) }
    }

    /// Keeps what autoscalers remember for the next server.
    package func save() async {
        do {
            try await self.store.save(self.records.mapValues(\.autoscaler))
        } catch is CancellationError {
            // The server ends in the middle of it: what was stored the last time is there.
        } catch {
            // APIs are scaled all the same; after a restart what is remembered is older.
            self.logger.error("what autoscalers remember cannot be stored", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Samples

    private func sample(at time: Duration) async {
        let loads = await self.provider.loads()
        self.records = self.records.filter { loads[$0.key] != nil }
        let period = LoadWindow.number(at: time)
        let isDue = period != self.decided
        self.decided = period
        for (api, load) in loads.sorted(by: { $0.key < $1.key }) {
            let policy = AutoscalerPolicy(load.spec)
            await self.notice(api, load, at: time)
            // Before the sample, which belongs to the period that begins.
            if isDue { await self.decide(api, load, policy, at: LoadWindow.period * Int(period)) }
            self.observe(api, load, at: time)
        }
        if isDue, period % Self.periodsBetweenSaves == 0 { await self.save() }
    }

    /// Takes note of an API that is new, or that requests have woken.
    private func notice(_ api: APIName, _ load: APILoad, at time: Duration) async {
        if self.records[api] == nil {
            var autoscaler = self.stored.removeValue(forKey: api) ?? Autoscaler(at: time)
            autoscaler.resume(at: time)
            self.records[api] = AutoscalerRecord(autoscaler: autoscaler)
        }
        let isAwake = self.records[api]?.requested == 0 && load.requested > 0
        self.records[api]?.requested = load.requested
        guard isAwake else { return }
        self.records[api]?.autoscaler.woke(at: time)
        self.records[api]?.changes.up += 1
        do {
            // That it is so already is for the store: a server that starts anew begins with as many.
            _ = try await self.reconciler.scale(api, to: load.requested)
        } catch {
            self.logger.error("replicas not stored", metadata: ["api": "\(api)", "error": "\(error)"])
        }
    }

    private func observe(_ api: APIName, _ load: APILoad, at time: Duration) {
        let received = self.records[api]?.received
        self.records[api]?.received = load.received
        // Without a replica that answers nobody knows what the load would be, unless none is wanted.
        guard load.isServing || load.requested == 0 || load.inFlight > 0 else { return }
        self.records[api]?.autoscaler.observe(
            inFlight: Double(load.inFlight),
            isBusy: received.map { $0 != load.received } ?? (load.received > 0),
            at: time
        )
    }

    // MARK: Decisions

    private func decide(_ api: APIName, _ load: APILoad, _ policy: AutoscalerPolicy, at time: Duration) async {
        guard let decision = self.records[api]?.autoscaler.decide(policy, current: load.requested, at: time) else {
            return
        }
        self.records[api]?.decision = decision
        guard decision.isChange else {
            self.records[api]?.refused = nil
            return
        }
        do {
            // Nil where it was deleted meanwhile.
            guard let granted = try await self.reconciler.scale(api, to: decision.replicas) else { return }
            await self.tell(api, load, decision, policy, granted: granted)
        } catch {
            self.logger.error("not scaled", metadata: ["api": "\(api)", "error": "\(error)"])
        }
    }

    private func tell(
        _ api: APIName,
        _ load: APILoad,
        _ decision: ScalingDecision,
        _ policy: AutoscalerPolicy,
        granted: Int
    ) async {
        self.records[api]?.requested = granted
        let wasRefused = self.records[api]?.refused == decision.replicas
        self.records[api]?.refused = granted == decision.replicas ? nil : decision.replicas
        if granted > load.requested { self.records[api]?.changes.up += 1 }
        if granted < load.requested { self.records[api]?.changes.down += 1 }
        // What the machine cannot bear is asked for every period, and told once.
        guard granted != load.requested || !wasRefused else { return }
        var message = decision.explanation(policy)
        if granted != decision.replicas { message += "; there is room for \(granted)" }
        self.logger.info("scaled", metadata: ["api": "\(api)", "from": "\(load.requested)", "to": "\(granted)"])
        do {
            try await self.store.record(
                ProviderEvent(api: api, version: load.version, kind: .scaled, message: message)
            )
        } catch {
            self.logger.error("event not recorded", metadata: ["api": "\(api)", "error": "\(error)"])
        }
        await self.save()
    }

    // MARK: Seen from outside

    /// By name; none of what has been deleted since the last sample.
    package func gauges() async -> [AutoscalingGauges] {
        let loads = await self.provider.loads()
        return self.records.filter { loads[$0.key] != nil }.sorted { $0.key < $1.key }.map { api, record in
            AutoscalingGauges(
                api: api,
                requested: record.requested ?? 0,
                recommended: record.decision?.recommendation.replicas,
                load: record.decision?.load,
                changes: record.changes
            )
        }
    }
}
