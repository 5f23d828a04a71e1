import CortexControlPlane
import CortexSpec
import Synchronization

/// A provider without processes: it remembers what it was told, and a test says what becomes of it.
final class FakeProvider: Provider {
    enum Call: Hashable {
        case apply(APIName, version: Int, fallback: Int?)
        case scale(APIName, Int)
        case remove(APIName)
        case prune(isDryRun: Bool, keeping: Set<String>)
    }

    /// A look at models that was asked for.
    struct ModelCheck: Hashable {
        var apis: [APIName]
        var project: String
        var projectDirectory: String?
    }

    private struct State {
        var pruned = PruneReport(isDryRun: false)
        var calls: [Call] = []
        var observations: [APIName: APIObservation] = [:]
        var lines: [APIName: [String]] = [:]
        var modelProblems: [APIName: [FieldProblem]] = [:]
        var checked: [ModelCheck] = []
        var computeProblems: [APIName: [FieldProblem]] = [:]
        var loads: [APIName: APILoad] = [:]
        /// The most replicas that there is room for.
        var room = 5
    }

    private let state = Mutex(State())
    private let source: AsyncStream<ProviderEvent>.Continuation
    let events: AsyncStream<ProviderEvent>
    /// What followers of a log are sent; one consumer.
    let followed: AsyncStream<String>
    let followedSource: AsyncStream<String>.Continuation
    /// An element for each follower that has gone.
    let left: AsyncStream<Void>
    private let leftSource: AsyncStream<Void>.Continuation

    init() {
        (self.events, self.source) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        (self.followed, self.followedSource) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        (self.left, self.leftSource) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// What it was told, in order.
    var calls: [Call] { self.state.withLock { $0.calls } }

    /// Reports an event, and shows from now on what goes with it.
    func report(
        _ kind: ProviderEvent.Kind,
        _ api: APIName,
        version: Int,
        _ message: String = "",
        environment: String? = nil
    ) {
        self.state.withLock { state in
            var observation = state.observations[api] ?? Self.starting(api)
            switch kind {
            case .live:
                observation.status = .live
                observation.servingVersion = version
                observation.replicas = ReplicaCounts(requested: 1, ready: 1)
            case .failed:
                observation.status = observation.servingVersion == nil ? .error : .rolloutFailed
                observation.reason = message
            case .progress, .workerExited, .crashLoop, .scaled, .removed: break
            }
            state.observations[api] = observation
        }
        self.source.yield(
            ProviderEvent(api: api, version: version, kind: kind, message: message, environment: environment)
        )
    }

    /// Ends the stream of events, and with it the reconciler's loop.
    func finish() { self.source.finish() }

    func write(_ line: String, to api: APIName) {
        self.state.withLock { $0.lines[api, default: []].append(line) }
    }

    /// What is found wrong with models from now on.
    func find(_ problems: [FieldProblem], of api: APIName) {
        self.state.withLock { $0.modelProblems[api] = problems }
    }

    /// The looks at models that were asked for, in order.
    var checked: [ModelCheck] { self.state.withLock { $0.checked } }

    func modelProblems(
        of specs: [APISpec],
        project: String,
        projectDirectory: String?
    ) async -> [APIName: [FieldProblem]] {
        self.state.withLock { state in
            let apis = specs.map(\.name)
            state.checked.append(ModelCheck(apis: apis, project: project, projectDirectory: projectDirectory))
            return state.modelProblems.filter { apis.contains($0.key) }
        }
    }

    /// What is found wrong with what is asked of machines, from now on.
    func findCompute(_ problems: [FieldProblem], of api: APIName) {
        self.state.withLock { $0.computeProblems[api] = problems }
    }

    func computeProblems(of specs: [ResourceSpec]) async -> [APIName: [FieldProblem]] {
        let apis = specs.map(\.name)
        return self.state.withLock { $0.computeProblems.filter { apis.contains($0.key) } }
    }

    /// What an API bears from now on; nil takes it away.
    func bear(_ load: APILoad?, _ api: APIName) {
        self.state.withLock { $0.loads[api] = load }
    }

    /// From now on there is room for no more replicas of an API.
    func setRoom(_ room: Int) { self.state.withLock { $0.room = room } }

    func loads() async -> [APIName: APILoad] { self.state.withLock { $0.loads } }

    func models(of api: APIName) async -> ModelObservations { ModelObservations() }

    func apply(_ splitter: SplitterDeployment, fallback: SplitterDeployment?) async {
        self.apply(splitter, splitter.spec.name, fallback: fallback?.version)
        self.state.withLock { state in
            state.observations[splitter.spec.name]?.targets = splitter.spec.apis.map {
                TargetObservation(target: $0, status: .live, requested: 1, requests: RequestStatistics())
            }
        }
    }

    func apply(_ deployment: Deployment, fallback: Deployment?) async {
        self.apply(deployment, deployment.spec.name, fallback: fallback?.version)
    }

    private func apply<Spec>(_ deployment: ResourceDeployment<Spec>, _ name: APIName, fallback: Int?) {
        self.state.withLock { state in
            state.calls.append(.apply(name, version: deployment.version, fallback: fallback))
            var observation = state.observations[name] ?? Self.starting(name)
            if observation.servingVersion != deployment.version {
                observation.status = .updating
                observation.reason = nil
            }
            state.observations[name] = observation
        }
    }

    func scale(_ api: APIName, to replicas: Int) async -> Int? {
        self.state.withLock { state in
            state.calls.append(.scale(api, replicas))
            guard state.observations[api] != nil || state.loads[api] != nil else { return nil }
            let granted = min(replicas, state.room)
            state.loads[api]?.requested = granted
            return granted
        }
    }

    func remove(_ api: APIName) async {
        self.state.withLock { state in
            state.calls.append(.remove(api))
            state.observations[api] = nil
        }
    }

    func observation(of api: APIName) async -> APIObservation? {
        self.state.withLock { $0.observations[api] }
    }

    func logLines(
        of api: APIName,
        last: Int,
        follow: Bool,
        as form: LogForm
    ) async throws -> AsyncThrowingStream<String, any Error> {
        let lines = self.state.withLock { Array(($0.lines[api] ?? []).suffix(last)) }
        let (followed, left) = (self.followed, self.leftSource)
        return AsyncThrowingStream(bufferingPolicy: .unbounded) { continuation in
            for line in lines { continuation.yield(form == .json ? "{\"message\":\"\(line)\"}" : line) }
            guard follow else { return continuation.finish() }
            // Bridges one stream to another; ends with its consumer.
            let task = Task {
                for await line in followed { continuation.yield(line) }
                continuation.finish()
            }
            continuation.onTermination = { _ in
                task.cancel()
                left.yield()
            }
        }
    }

    /// What a prune comes to from now on.
    func willPrune(_ report: PruneReport) {
        self.state.withLock { $0.pruned = report }
    }

    func prune(isDryRun: Bool, keeping environments: Set<String>) async throws -> PruneReport {
        self.state.withLock { state in
            state.calls.append(.prune(isDryRun: isDryRun, keeping: environments))
            var report = state.pruned
            report.isDryRun = isDryRun
            return report
        }
    }

    private static func starting(_ api: APIName) -> APIObservation {
        APIObservation(
            status: .updating,
            replicas: ReplicaCounts(requested: 1),
            endpoint: "http://localhost:8888/\(api)"
        )
    }
}
