import CortexControlPlane
import CortexGateway
import CortexSpec
import CortexTelemetry
import Logging
import NIOCore

/// One splitter on this machine: the route that leads requests to APIs.
///
/// It has no processes. What is wanted becomes what serves once every API that is to get requests has been there; until then
/// the deployment before it goes on.
actor LocalSplitter {
    let name: APIName
    private let machine: LocalMachine
    private let emit: @Sendable (ProviderEvent) -> Void
    private let observeAPI: @Sendable (APIName) async -> APIObservation?
    private var wanted: SplitterDeployment?
    private var serving: SplitterDeployment?
    private var stage = Stage.done
    /// Nil where anybody may call.
    private var knownKeys: KnownKeys?
    /// Deleted: it is not to have a route any more.
    private var isWithdrawn = false

    /// How far the newest deployment has come.
    private enum Stage: Equatable {
        /// Some API of it has not come up yet. Next: `failed`, `done`.
        case waiting(reason: String)
        /// Some API of it could not be started. Next: `done`, if a later try succeeds.
        case failed(reason: String)
        case done
    }

    /// - Parameter observeAPI: What is seen of an API of this machine; nil where there is none of that name.
    init(
        name: APIName,
        machine: LocalMachine,
        emit: @escaping @Sendable (ProviderEvent) -> Void,
        observeAPI: @escaping @Sendable (APIName) async -> APIObservation?
    ) {
        self.name = name
        self.machine = machine
        self.emit = emit
        self.observeAPI = observeAPI
    }

    // MARK: Wishes

    /// Makes `deployment` the one that is to serve.
    func apply(_ deployment: SplitterDeployment, fallback: SplitterDeployment?) async {
        self.wanted = deployment
        self.stage = .waiting(reason: "it is starting")
        // What has served under an earlier server serves at once: its APIs say themselves when they are not there yet.
        if self.serving == nil, let known = deployment.wasLive ? deployment : fallback { await self.serve(known) }
        await self.publishAbsence()
        await self.reconsider()
    }

    /// Looks whether what is wanted can serve; to be called whenever that may have changed.
    func reconsider() async {
        guard let wanted = self.wanted, wanted.id != self.serving?.id, !self.isWithdrawn else { return }
        let prospect = await self.targets(of: wanted).prospect
        // Another wish may have come meanwhile, or another look been quicker.
        guard wanted.id == self.wanted?.id, wanted.id != self.serving?.id, !self.isWithdrawn else { return }
        let former = self.stage
        switch prospect {
        case .ready:
            await self.serve(wanted)
            self.tell(wanted, .live, "live")
        case .waiting(let reason):
            self.stage = .waiting(reason: reason)
            if former != self.stage { self.tell(wanted, .progress, reason) }
        case .failed(let reason):
            self.stage = .failed(reason: reason)
            if case .failed = former { break }
            self.tell(wanted, .failed, reason)
        }
        if former != self.stage { await self.publishAbsence() }
    }

    /// Takes the route away; what it has led to its APIs is theirs.
    func withdraw() async {
        self.isWithdrawn = true
        await self.machine.gateway.removeRoute(self.name)
        self.emit(ProviderEvent(api: self.name, version: 0, kind: .removed, message: "deleted"))
    }

    private func tell(_ deployment: SplitterDeployment, _ kind: ProviderEvent.Kind, _ message: String) {
        self.emit(ProviderEvent(api: self.name, version: deployment.version, kind: kind, message: message))
    }

    // MARK: The route

    private func serve(_ deployment: SplitterDeployment) async {
        self.serving = deployment
        if deployment.id == self.wanted?.id { self.stage = .done }
        let split = TrafficSplit(deployment.spec)
        let gateway = self.machine.gateway
        let upstream = SplitUpstream(split) { await gateway.readiness(of: $0) }
        await gateway.setRoute(self.route(to: deployment, upstream, split))
    }

    /// While nothing serves, requests are told why.
    private func publishAbsence() async {
        guard self.serving == nil, let wanted = self.wanted, !self.isWithdrawn else { return }
        let upstream =
            switch self.stage {
            case .waiting(let reason): UnavailableUpstream(reason: reason, retryAfter: 1)
            case .failed(let reason): UnavailableUpstream(reason: reason, retryAfter: 10)
            case .done: UnavailableUpstream(reason: "it is starting", retryAfter: 1)
            }
        await self.machine.gateway.setRoute(self.route(to: wanted, upstream))
    }

    private func route(
        to deployment: SplitterDeployment,
        _ upstream: any Upstream,
        _ split: TrafficSplit? = nil
    ) -> Route {
        let networking = deployment.spec.networking
        let reader = KeyReader(environment: self.machine.environment)
        self.knownKeys = KnownKeys(at: networking.apiKeys, version: deployment.version, reader)
        self.tell(self.knownKeys?.firstNews)
        return Route(
            api: self.name,
            version: deployment.version,
            endpoint: networking.endpoint,
            upstream: upstream,
            split: split,
            cors: CORSPolicy(allowedOrigins: networking.allowedOrigins),
            keys: self.knownKeys?.keys,
            summary: { Self.summary }
        )
    }

    /// The answer to `GET` on the endpoint.
    private static let summary: ByteBuffer = {
        var text = ByteBuffer()
        let message = "make a prediction by sending a POST request to this endpoint with a JSON payload"
        text.writeJSON(.object(["message": .string(message)]))
        return text
    }()

    /// Reads the keys once more, for what has changed in their files.
    func refreshKeys(_ reader: KeyReader) { self.tell(self.knownKeys?.refresh(reader)) }

    private func tell(_ news: KnownKeys.News?) {
        guard let news else { return }
        self.machine.logger.log(
            level: news.isError ? .error : .info,
            "\(news.text)",
            metadata: ["splitter": "\(self.name)"]
        )
    }

    // MARK: Seen from outside

    func observation() async -> APIObservation? {
        guard let wanted = self.wanted else { return nil }
        let targets = await self.targets(of: wanted)
        let counters = await self.machine.gateway.splitCounters()[self.name] ?? SplitCounters()
        let (status, reason) = self.status(targets)
        return APIObservation(
            status: status,
            reason: reason,
            servingVersion: self.serving?.version,
            targets: targets.each.map { TargetObservation($0, counters) },
            requests: RequestStatistics(counters.answered.values.reduce(into: APICounters()) { $0 += $1 }),
            endpoint: self.machine.baseURL + wanted.spec.networking.endpoint
        )
    }

    private func status(_ targets: SplitterTargets) -> (APIStatus, String?) {
        switch self.stage {
        case .waiting(let reason): (.updating, reason)
        case .failed(let reason): (self.serving == nil ? .error : .rolloutFailed, reason)
        case .done: targets.status
        }
    }

    private func targets(of deployment: SplitterDeployment) async -> SplitterTargets {
        var each: [SplitterTargets.Seen] = []
        for target in deployment.spec.apis {
            each.append(SplitterTargets.Seen(target: target, api: await self.observeAPI(target.name)))
        }
        return SplitterTargets(each: each)
    }
}

extension TargetObservation {
    fileprivate init(_ seen: SplitterTargets.Seen, _ counters: SplitCounters) {
        let name = seen.target.name
        let counted = seen.target.shadow ? counters.copied[name] : counters.answered[name]
        self.init(
            target: seen.target,
            status: seen.api?.status,
            requested: seen.api?.replicas.requested ?? 0,
            requests: RequestStatistics(counted ?? APICounters())
        )
    }
}
