import CortexControlPlane
import CortexLocalProvider
import CortexServing
import CortexSpec

extension DevSession {
    /// Watches one version until it is live or replaced; one that failed may come up by itself (a database that is back).
    func follow(_ name: APIName, _ attempt: DevAttempt) async throws {
        var lastEvent: Int64 = 0
        var doing = "\(name): starting"
        while self.rollouts[name]?.attempt == attempt {
            guard let api = try await self.server.client.api("\(name)") else { return }
            // Another change may have come during the question.
            guard self.rollouts[name]?.attempt == attempt, let step = self.rollouts[name]?.saw(api) else {
                if self.rollouts[name]?.isFailed ?? true {
                    try await Task.sleep(for: .milliseconds(500))
                } else {
                    doing = try await self.progress(of: name, attempt, after: &lastEvent) ?? doing
                    self.screen.progress(doing)
                    try await Task.sleep(for: .milliseconds(40))
                }
                continue
            }
            switch step {
            case .replaced: return
            case .live: return await self.becameLive(name, attempt, api)
            case .failed(let reason):
                self.fail()
                let serving = api.status.servingVersion
                await self.showChecks()
                self.screen.print(self.text.failed("\(name)", attempt, reason: reason, serving: serving))
                self.sayHow()
                if self.options.isOnce { return }
            }
        }
    }

    /// The newest step that the server tells of; nil where there is none since `last`.
    private func progress(of name: APIName, _ attempt: DevAttempt, after last: inout Int64) async throws -> String? {
        var step: String?
        for event in try await self.server.client.knownEvents(of: "\(name)", after: last) {
            last = event.id
            guard event.version == attempt.version, event.kind == ProviderEvent.Kind.progress.rawValue else { continue }
            step = "\(name): \(LogText.block(event.message))"
        }
        return step
    }

    private func becameLive(_ name: APIName, _ attempt: DevAttempt, _ api: APIResponse) async {
        let took = ContinuousClock.now - attempt.began
        self.liveVersions[name, default: []].insert(attempt.version)
        await self.showChecks()
        let isNews = self.endpoints.updateValue(api.endpoint, forKey: name) != api.endpoint
        self.screen.print(
            self.text.live("\(name)", attempt, after: took, endpoint: isNews ? api.endpoint : nil)
        )
        let spec = self.project?.config?.apis.first { $0.name == name }
        let sample = spec.flatMap { spec in self.project.flatMap { SampleRequest(for: spec, in: $0.source.root) } }
        if isNews {
            let file = sample.map { (self.text.folders.path(of: $0.path), $0.mediaType) }
            self.screen.print(self.text.tryLine(endpoint: api.endpoint, sample: file))
        }
        self.sayHow()
        await self.forgetProjects()
        if let sample { self.send(sample, to: name, attempt, endpoint: api.endpoint) }
    }

    /// Tells what was found to be well, each once.
    private func showChecks() async {
        guard let project = self.project, let config = project.config else { return }
        var checks = ["\(project.source.fileName) valid"]
        for api in config.apis where self.rollouts[api.name]?.isLive ?? false {
            guard let contract = await self.server.provider.contract(of: api.name) else { continue }
            checks += DevText.checks(of: contract, path: api.predictor.path)
        }
        let news = checks.filter { self.checks.insert($0).inserted }
        if !news.isEmpty { self.screen.print(self.text.checks(news)) }
    }

    // MARK: Samples

    static let sampleID = "cortex-dev-sample-"

    /// Sends the samples that were saved, to APIs that did not change.
    func resend(_ change: ProjectChange) {
        guard let project = self.project else { return }
        for spec in project.config?.apis ?? [] {
            guard
                let rollout = self.rollouts[spec.name], rollout.isLive, let endpoint = self.endpoints[spec.name],
                let sample = SampleRequest(for: spec, in: project.source.root), change.paths.contains(sample.path)
            else { continue }
            self.send(sample, to: spec.name, rollout.attempt, endpoint: endpoint)
        }
    }

    private func send(_ sample: SampleRequest, to name: APIName, _ attempt: DevAttempt, endpoint: String) {
        guard self.options.sendsSamples, let root = self.project?.source.root else { return }
        self.samplesSent += 1
        let id = "\(Self.sampleID)\(self.samplesSent)"
        self.spawn {
            let shown: String
            do {
                let answer = try await SampleAnswer.of(
                    "\(root)/\(sample.path)",
                    mediaType: sample.mediaType,
                    endpoint: endpoint,
                    requestID: id
                )
                if answer.status >= 400 { await self.fail() }
                shown = await self.text.sample(sample.path, answer, width: self.screen.console.size?.columns)
            } catch is CancellationError {
                return
            } catch {
                await self.fail()
                shown = "  \(sample.path)   not sent: \(ConnectionFailure(error))"
            }
            await self.answered(shown, name, attempt)
        }
    }

    /// Shown unless a newer version has taken over meanwhile, which gets a sample of its own.
    private func answered(_ line: String, _ name: APIName, _ attempt: DevAttempt) {
        guard self.rollouts[name]?.attempt == attempt else { return }
        self.screen.print(line)
    }
}
