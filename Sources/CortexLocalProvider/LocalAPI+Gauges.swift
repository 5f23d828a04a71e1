import CortexServing
import CortexSpec
import CortexTelemetry

extension LocalAPI {
    /// What `/metrics` tells of an API beside what the gateway counts.
    struct Gauges: Sendable {
        var name: APIName
        var load: LocalVersion.Load
        /// By the reason of the worker's end.
        var restarts: [String: Int]
        var workers: Set<WorkerFamilies.Worker>
        /// Nil where the API has no models.
        var models: ModelGauges?
        /// What its predictors count themselves.
        var own: UserMetrics.Values
    }

    /// Of the version that serves, and of all before it.
    struct ModelGauges: Sendable {
        var counters: ModelCounters.Values
        var counts: ModelCounts
        var loaded: Int
    }

    func gauges() async -> Gauges {
        var load = LocalVersion.Load()
        var workers: Set<WorkerFamilies.Worker> = []
        for version in self.versions {
            load += await version.load()
            workers.formUnion(await version.workers())
        }
        return Gauges(
            name: self.name,
            load: load,
            restarts: self.restarts,
            workers: workers,
            models: await self.modelGauges(),
            own: self.userMetrics.current
        )
    }

    /// The one that serves, the one that is to, and those that end.
    private var versions: [LocalVersion] {
        var versions = self.leaving
        if let serving = self.serving { versions.append(serving) }
        if let wanted = self.wanted, wanted !== self.serving { versions.append(wanted) }
        return versions
    }

    private func modelGauges() async -> ModelGauges? {
        guard let serving = self.serving, let models = await serving.ownModels else { return nil }
        let counts = await serving.modelCounts(within: .milliseconds(250))
        let loaded = await models.loadedCount
        let counters = self.modelCounters.current
        // Counters must not fall, or whoever scrapes takes it for a restart.
        self.toldModelCounts = self.toldModelCounts.orMore(counters.past + counts)
        return ModelGauges(counters: counters, counts: self.toldModelCounts, loaded: loaded)
    }
}
