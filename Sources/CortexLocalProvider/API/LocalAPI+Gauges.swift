import CortexServing
import CortexSpec
import CortexTelemetry

extension LocalAPI {
    /// What `/metrics` tells of an API beside what the gateway counts.
    struct Gauges: Sendable {
        var name: APIName
        var load: Load
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
        let load = await self.load()
        var workers: Set<WorkerFamilies.Worker> = []
        for record in self.replicas { workers.formUnion(await record.replica.workers()) }
        return Gauges(
            name: self.name,
            load: load,
            restarts: self.restarts,
            workers: workers,
            models: await self.modelGauges(),
            own: self.userMetrics.current
        )
    }

    private func modelGauges() async -> ModelGauges? {
        guard let serving = self.serving, let models = await serving.ownModels else { return nil }
        let counts = await self.modelCounts(of: serving)
        let loaded = await models.loadedCount
        let counters = self.modelCounters.current
        // Counters must not fall, or whoever scrapes takes it for a restart.
        self.toldModelCounts = self.toldModelCounts.orMore(counters.past + counts)
        return ModelGauges(counters: counters, counts: self.toldModelCounts, loaded: loaded)
    }

    /// Beside each other: workers that hang, and do not tell, cost their time once.
    private func modelCounts(of version: LocalVersion) async -> ModelCounts {
        let replicas = self.replicas.filter { $0.replica.version === version && $0.isAdmitted }.map(\.replica)
        return await withTaskGroup(of: ModelCounts.self) { group in
            for replica in replicas { group.addTask { await replica.modelCounts(within: .milliseconds(250)) } }
            return await group.reduce(ModelCounts()) { $0 + $1 }
        }
    }
}
