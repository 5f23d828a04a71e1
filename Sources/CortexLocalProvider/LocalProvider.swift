package import CortexControlPlane
import CortexGateway
package import CortexServing
package import CortexSpec
import CortexTelemetry

/// The provider of one machine: replicas are processes beside this one.
package actor LocalProvider: Provider {
    package nonisolated let events: AsyncStream<ProviderEvent>
    private let emit: AsyncStream<ProviderEvent>.Continuation
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let spawn: AsyncStream<@Sendable () async -> Void>.Continuation
    let machine: LocalMachine
    private(set) var apis: [APIName: LocalAPI] = [:]
    private(set) var splitters: [APIName: LocalSplitter] = [:]

    /// - Parameter environmentBudget: Nil where another process sees to it.
    package init(machine: LocalMachine, environmentBudget: EnvironmentBudget? = nil) {
        self.machine = machine
        // Events are few (steps of deploys and restarts), and each is recorded: none may be dropped.
        (self.events, self.emit) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        (self.jobs, self.spawn) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        guard let environmentBudget else { return }
        self.spawn.yield { await environmentBudget.keep(machine.environments.store, logger: machine.logger) }
    }

    /// Runs the versions of all APIs; returns after `shutdown`, when all workers have ended.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.machine.memory.run() }
            group.addTask { await self.watchKeys() }
            for await job in self.jobs { group.addTask { await job() } }
            // After a shutdown: what still prepares a version (an environment that is being built) is for nobody.
            group.cancelAll()
        }
    }

    /// Ends all workers, which have nothing in flight any more once the gateway has drained.
    package func shutdown() async {
        await withDiscardingTaskGroup { group in
            for api in self.apis.values { group.addTask { await api.shutdown() } }
        }
        self.spawn.finish()
        self.emit.finish()
    }

    // MARK: Provider

    package func apply(_ deployment: Deployment, fallback: Deployment?) async {
        let api = self.api(deployment.spec.name)
        await api.apply(deployment, fallback: fallback)
        await self.roomChanged()
    }

    package func remove(_ name: APIName) async {
        if let splitter = self.splitters.removeValue(forKey: name) { return await splitter.withdraw() }
        guard let api = self.apis.removeValue(forKey: name) else { return }
        // Before this returns, so that a deploy of the same name that follows finds its route its own.
        await api.withdraw()
        self.spawn.yield {
            await api.finish()
            await self.roomChanged()
        }
    }

    package func scale(_ name: APIName, to replicas: Int) async -> Int? {
        defer { self.spawn.yield { await self.roomChanged() } }
        return await self.apis[name]?.scale(to: replicas)
    }

    package func loads() async -> [APIName: APILoad] {
        var loads: [APIName: APILoad] = [:]
        for (name, api) in self.apis { loads[name] = await api.scalingLoad() }
        return loads
    }

    /// An API that wants more replicas than it has may find room for them now.
    private func roomChanged() async {
        for api in self.apis.values { await api.reconcile() }
    }

    package func observation(of name: APIName) async -> APIObservation? {
        if let splitter = self.splitters[name] { return await splitter.observation() }
        return await self.observeAPI(name)
    }

    package func models(of name: APIName) async -> ModelObservations {
        await self.apis[name]?.models() ?? ModelObservations()
    }

    package func logLines(
        of name: APIName,
        last: Int,
        follow: Bool,
        as form: LogForm
    ) async throws -> AsyncThrowingStream<String, any Error> {
        await self.api(name).log.lines(last: last, follow: follow, as: form)
    }

    /// Lines of the API's log from now on, each a JSON object; ends when the API is removed.
    package func followLog(of name: APIName) -> AsyncStream<String> {
        self.api(name).log.sink.follow()
    }

    /// What the predictor that serves is made of; nil while none does.
    package func contract(of name: APIName) async -> ReadyMessage? {
        await self.apis[name]?.contract()
    }

    /// Whether each API has asked for all of its models.
    func areModelsKnown() async -> Bool {
        for api in self.apis.values where await api.observation().status != .live { return false }
        return true
    }

    /// Takes over keys that were changed in their files.
    private func watchKeys() async {
        let reader = KeyReader(environment: self.machine.environment)
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            for api in self.apis.values { await api.refreshKeys(reader) }
            for splitter in self.splitters.values { await splitter.refreshKeys(reader) }
            // An API may be there without an event: one that sleeps when its server starts.
            await self.reconsiderSplitters()
        }
    }

    func splitter(_ name: APIName) -> LocalSplitter {
        if let splitter = self.splitters[name] { return splitter }
        let emit = self.emit
        let splitter = LocalSplitter(
            name: name,
            machine: self.machine,
            emit: { emit.yield($0) },
            observeAPI: { [weak self] in await self?.observeAPI($0) }
        )
        self.splitters[name] = splitter
        return splitter
    }

    private func api(_ name: APIName) -> LocalAPI {
        if let api = self.apis[name] { return api }
        let emit = self.emit
        let spawn = self.spawn
        let log = APILog(api: name, directory: "\(self.machine.home.logs)/apis", echo: self.machine.logEcho)
        let api = LocalAPI(
            name: name,
            log: log,
            machine: self.machine,
            emit: { [weak self] event in
                emit.yield(event)
                guard event.kind != .progress else { return }
                spawn.yield { [weak self] in await self?.reconsiderSplitters() }
            },
            spawn: { spawn.yield($0) }
        )
        spawn.yield { await log.sink.run() }
        spawn.yield { await api.endOverdueWorkers() }
        spawn.yield { await api.answerWakes() }
        self.apis[name] = api
        return api
    }

    // MARK: Seen from outside

    /// Gauges and counters of all APIs, as Prometheus text.
    package func metrics() async -> String {
        var text = PrometheusText()
        let gateway = self.machine.gateway
        let splitters = Set(self.splitters.keys)
        let (counters, unrouted) = (await gateway.counters(), await gateway.unroutedCounters())
        LocalMetrics.write(counters, splitters: splitters, unrouted: unrouted, into: &text)
        LocalMetrics.write(await gateway.splitCounters(), into: &text)
        // Beside each other: workers that hang, and do not tell of their models, delay a scrape once.
        let gauges = await withTaskGroup(of: LocalAPI.Gauges.self) { group in
            for api in self.apis.values { group.addTask { await api.gauges() } }
            var gauges: [LocalAPI.Gauges] = []
            for await each in group { gauges.append(each) }
            return gauges.sorted { $0.name < $1.name }
        }
        LocalMetrics.write(gauges, into: &text)
        let workers = gauges.map { ($0.name, $0.workers) }
        LocalMetrics.writeMemory(await self.machine.memory.resident(of: workers), into: &text)
        LocalMetrics.writeModels(gauges, into: &text)
        LocalMetrics.writeOwn(gauges, into: &text)
        text.family("cortex_build_info", .gauge, "The release of this server.")
        text.sample("cortex_build_info", [("version", self.machine.version)], 1)
        return text.text
    }
}
