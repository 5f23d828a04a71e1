import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec
import CortexTelemetry
import NIOCore

/// One API on this machine: the version that serves, and the one that is to take over.
actor LocalAPI {
    let name: APIName
    nonisolated let log: APILog
    let machine: LocalMachine
    let emit: @Sendable (ProviderEvent) -> Void
    let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    /// The newest version that was asked for.
    var wanted: LocalVersion?
    var serving: LocalVersion?
    /// What there is to do for versions whose workers miss a module.
    var missing = MissingModules()
    /// The newest deployment that `serving` answers for, where no worker had to be started for it.
    private(set) var adopted: Deployment?
    var rollout = Rollout.done
    /// How often a worker was replaced, by the reason of its end.
    var restarts: [String: Int] = [:]
    /// Why the last worker of `serving` ended, where that was for memory.
    private(set) var shortage: String?
    let modelCounters = ModelCounters()
    let userMetrics = UserMetrics()
    /// Versions that finish what they have, and end.
    var leaving: [LocalVersion] = []
    /// What was told of the models last: while a version ends, its counts may be in neither of two sums for a moment.
    var toldModelCounts = ModelCounts()
    /// What is done for the version that comes up.
    let activity = Activity()
    /// Deleted: whatever still starts is not to serve.
    private(set) var isWithdrawn = false
    /// Nil where anybody may call.
    var knownKeys: KnownKeys?

    /// How far the newest version has come.
    enum Rollout {
        /// Next: `waiting`, `failed`, `done`.
        case running
        /// It has all that it needs but devices that other APIs have. Next: `running`.
        case waiting(reason: String)
        /// It could not be started; the version before, if there is one, serves on. Next: `done`, if a later try succeeds.
        case failed(reason: String, isOutOfMemory: Bool)
        /// The newest version serves.
        case done
    }

    /// - Parameter spawn: Runs a long job beside others, until the provider ends.
    init(
        name: APIName,
        log: APILog,
        machine: LocalMachine,
        emit: @escaping @Sendable (ProviderEvent) -> Void,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.name = name
        self.log = log
        self.machine = machine
        self.emit = emit
        self.spawn = spawn
    }

    // MARK: Wishes

    /// Makes `deployment` the version that is to serve.
    func apply(_ deployment: Deployment, fallback: Deployment?) async {
        let extended = self.missing.applied()
        self.supersede()
        if let serving = self.serving, deployment.hasSameWorkers(as: serving.deployment) {
            await self.adopt(deployment, by: serving)
            // What its workers said once they do not say again.
            if extended != nil, self.serving === serving { self.extend(serving) }
            return
        }
        if self.serving == nil, let fallback {
            // It serves first, and goes when the wanted one is ready.
            self.begin(self.version(fallback))
        }
        let version = self.version(deployment)
        self.wanted = version
        self.rollout = .running
        self.begin(version)
        await self.publishAbsence(of: version, reason: "it is starting")
    }

    /// - Parameter attempt: Not 0 where there has been a version of the deployment already.
    func version(_ deployment: Deployment, attempt: Int = 0) -> LocalVersion {
        LocalVersion(
            deployment: deployment,
            attempt: attempt,
            machine: self.machine,
            log: self.log,
            counters: self.modelCounters,
            userMetrics: self.userMetrics
        )
    }

    /// What changed needs no new workers (networking, autoscaling): it takes effect at once.
    private func adopt(_ deployment: Deployment, by serving: LocalVersion) async {
        self.wanted = serving
        self.adopted = deployment
        self.rollout = .done
        await serving.setLimit(deployment.spec.autoscaling.maxReplicaConcurrency)
        if let upstream = await serving.upstream() {
            await self.machine.gateway.setRoute(self.route(to: deployment, upstream))
        }
        let number = deployment.version
        self.log.write("version \(number) is live, with the workers that were running", version: number)
        self.emit(
            ProviderEvent(
                api: self.name,
                version: number,
                kind: .live,
                message: "live, without a restart",
                environment: await serving.environmentKey
            )
        )
    }

    /// While nothing serves, requests are told why.
    /// - Parameter retryAfter: Seconds; more where it is not likely to answer soon.
    private func publishAbsence(
        of version: LocalVersion,
        reason: String,
        retryAfter: Int = 1,
        nextStart: ContinuousClock.Instant? = nil
    ) async {
        guard self.serving == nil, version === self.wanted, !self.isWithdrawn else { return }
        let upstream = UnavailableUpstream(reason: reason, retryAfter: retryAfter, nextStart: nextStart)
        await self.machine.gateway.setRoute(self.route(to: version.deployment, upstream))
    }

    /// The version that was to take over, and has not, makes room for a newer wish.
    func supersede() {
        guard let candidate = self.wanted, candidate !== self.serving else { return }
        self.wanted = nil
        self.end(candidate)
    }

    /// Takes the route away: no request comes in after this.
    func withdraw() async {
        self.isWithdrawn = true
        await self.machine.gateway.removeRoute(self.name)
        self.emit(ProviderEvent(api: self.name, version: 0, kind: .removed, message: "deleted"))
    }

    /// Ends what is left of an API that was withdrawn.
    func finish() async {
        self.supersede()
        if let serving = self.serving {
            self.serving = nil
            self.wanted = nil
            await serving.drain(grace: self.drainGrace(of: serving))
        }
        self.log.sink.close()
    }

    /// Ends all workers; their files stay for the next server.
    func shutdown() async {
        let versions = [self.serving, self.wanted].compactMap { $0 }
        await withDiscardingTaskGroup { group in
            for version in versions { group.addTask { await version.drain(grace: .zero, keepsModelFiles: true) } }
        }
        self.log.sink.close()
    }

    /// Whatever was in flight has been answered by then: the deadline of each request is over.
    private func drainGrace(of version: LocalVersion) -> Duration {
        let timeouts = [version.deployment, self.adopted].compactMap { $0?.spec.networking.timeout }
        return (timeouts.max() ?? .zero) + .seconds(30)
    }

    func end(_ version: LocalVersion) {
        let grace = self.drainGrace(of: version)
        self.leaving.append(version)
        self.spawn {
            await version.drain(grace: grace)
            await self.left(version)
        }
    }

    private func left(_ version: LocalVersion) {
        self.leaving.removeAll { $0 === version }
    }

    // MARK: A version's life

    func begin(_ version: LocalVersion) {
        self.log.write("starting version \(version.deployment.version)", version: version.deployment.version)
        self.spawn { await self.bringUp(version) }
    }

    private func bringUp(_ version: LocalVersion) async {
        let number = version.deployment.version
        do {
            let emit = self.emit
            let name = self.name
            emit(
                ProviderEvent(api: name, version: number, kind: .progress, message: "preparing the Python environment")
            )
            let launch = try await self.prepare(version)
            if self.isNeeded(version) {
                let launch = try await version.withDevices(launch) { await self.waits(version, reason: $0) }
                await self.goesOn(version)
                emit(
                    ProviderEvent(
                        api: name,
                        version: number,
                        kind: .progress,
                        message: "starting the predictor",
                        environment: await version.environmentKey
                    )
                )
                try await version.run(launch) { await self.heard($0, of: version) }
            }
        } catch is CancellationError {
            // Nobody waits for it any more.
        } catch {
            await self.failed(version, reason: "\(error)")
        }
        self.missing.ended(version)
        // Only now: another version may have waited for an environment that was built in this one's folder.
        await version.removeFiles()
    }

    private func waits(_ version: LocalVersion, reason: String) async {
        guard version === self.wanted else { return }
        let number = version.deployment.version
        self.log.write("version \(number) waits: \(reason)", version: number)
        self.rollout = .waiting(reason: reason)
        self.emit(ProviderEvent(api: self.name, version: number, kind: .progress, message: "waiting: \(reason)"))
        await self.publishAbsence(of: version, reason: reason, retryAfter: 10)
    }

    private func goesOn(_ version: LocalVersion) async {
        guard version === self.wanted, case .waiting = self.rollout else { return }
        self.rollout = .running
        await self.publishAbsence(of: version, reason: "it is starting")
    }

    /// Whether anybody still waits for this version: the newest wish, or a fallback while nothing serves.
    func isNeeded(_ version: LocalVersion) -> Bool {
        guard !self.isWithdrawn else { return version === self.serving }
        return version === self.wanted || version === self.serving
            || self.serving == nil && version.deployment.version < self.wanted?.deployment.version ?? 0
    }

    private func heard(_ event: Replica.Event, of version: LocalVersion) async {
        let number = version.deployment.version
        switch event {
        case .ready: await self.promote(version)
        case .missing(let worker, let message): await self.missed(message, by: worker, of: version)
        case .startFailed where self.missing.isReplaced(version): break
        case .startFailed(let worker, let error, let willRetry):
            self.log.write(level: "error", Self.text(of: error), version: number, worker: worker)
            if version === self.serving { self.shortage = error.isOutOfMemory ? "\(error)" : nil }
            let advice = self.missing.advice(for: worker).map { "; \($0)" } ?? ""
            await self.failed(version, reason: "\(error)\(advice)", isOutOfMemory: error.isOutOfMemory)
            if willRetry {
                await self.publishRetry(of: version)
                self.log.write(level: "warning", "\(worker) is started once more", version: number, worker: worker)
            }
        case .workerExited(let worker, let exit):
            self.restarts[exit.label, default: 0] += 1
            if version === self.serving { self.shortage = exit.isOutOfMemory ? "worker \(worker) \(exit)" : nil }
            self.log.write(level: "error", "\(worker) \(exit); starting another", version: number, worker: worker)
            // One in a loop would fill the history: that it loops is told once, and its ends are counted by the metric.
            guard await version.load().health.loop == nil else { break }
            self.emit(ProviderEvent(api: self.name, version: number, kind: .workerExited, message: "\(worker) \(exit)"))
        case .looping(let loop):
            guard version === self.serving else { break }
            self.log.write(level: "error", "crash loop: \(loop)", version: number, worker: loop.worker)
            self.emit(ProviderEvent(api: self.name, version: number, kind: .crashLoop, message: "\(loop)"))
        }
    }

    /// The user's traceback where there is one, since it says more than its last line.
    private static func text(of error: WorkerError) -> String {
        guard case .failed(let message) = error, let traceback = message.traceback, !traceback.isEmpty else {
            return "\(error)"
        }
        // A broken contract has no frames to show.
        guard traceback.contains("Traceback") || traceback.contains("File \"") else { return message.error }
        return "\(message.error)\n\(traceback)"
    }

    private func promote(_ version: LocalVersion) async {
        guard version !== self.serving, let upstream = await version.upstream() else { return }
        // A newer version may have taken over while this one started.
        guard self.isNeeded(version) else { return self.end(version) }
        let old = self.serving
        self.serving = version
        self.adopted = nil
        self.shortage = nil
        if version === self.wanted { self.rollout = .done }
        self.missing.promoted(version)
        await version.becameLive()
        await self.machine.gateway.setRoute(self.route(to: version.deployment, upstream))
        if version === self.wanted {
            let number = version.deployment.version
            self.log.write("version \(number) is live", version: number)
            self.emit(ProviderEvent(api: self.name, version: number, kind: .live, message: "live"))
        }
        if let old { self.end(old) }
    }

    /// Told once for each version, however often it is tried.
    func failed(_ version: LocalVersion, reason: String, isOutOfMemory: Bool = false) async {
        guard !self.missing.isExtension(version) else { return self.extensionFailed(version, reason: reason) }
        await self.goesOn(version)
        guard version === self.wanted, case .running = self.rollout else { return }
        let number = version.deployment.version
        // What user code raised goes to terminals.
        let reason = LogText.block(reason)
        self.log.write(level: "error", "version \(number) could not be started: \(reason)", version: number)
        self.rollout = .failed(reason: reason, isOutOfMemory: isOutOfMemory)
        self.emit(ProviderEvent(api: self.name, version: number, kind: .failed, message: reason))
        let advice = "its predictor could not be started; `cortex logs \(self.name)` shows why"
        await self.publishAbsence(of: version, reason: advice, retryAfter: 10)
    }

    /// Requests are told how often a version was tried that never came up, and when it is tried again.
    private func publishRetry(of version: LocalVersion) async {
        guard self.serving == nil, version === self.wanted, case .failed = self.rollout else { return }
        let health = await version.load().health
        let reason =
            "its predictor could not be started (\(Self.attempts(health))); `cortex logs \(self.name)` shows why"
        await self.publishAbsence(of: version, reason: reason, nextStart: health.nextStart.map { .now + $0 })
    }

    private func route(to deployment: Deployment, _ upstream: any Upstream) -> Route {
        Route(
            api: self.name,
            version: deployment.version,
            endpoint: deployment.spec.networking.endpoint,
            upstream: upstream,
            timeout: deployment.spec.networking.timeout,
            maximumBodySize: Int(deployment.spec.networking.maxBodySize.bytes),
            cors: CORSPolicy(allowedOrigins: deployment.spec.networking.allowedOrigins),
            keys: self.keys(of: deployment, KeyReader(environment: self.machine.environment)),
            summary: { await self.summary() }
        )
    }

    /// The answer to `GET` on the endpoint.
    private func summary() async -> ByteBuffer {
        var summary: [String: JSONValue] = [
            "message": "make a prediction by sending a POST request to this endpoint with a JSON payload"
        ]
        if let models = await (self.serving ?? self.wanted)?.ownModels {
            summary["model_metadata"] = await models.metadata()
        }
        var text = ByteBuffer()
        text.writeJSON(.object(summary))
        return text
    }
}
