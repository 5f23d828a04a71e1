import CortexControlPlane
import CortexSpec
import Foundation

extension DevSession {
    /// Deploys the project as it is now; what cannot be deployed is told, and what serves goes on.
    func load(_ change: ProjectChange) async throws {
        do {
            try await self.deploy(change)
            self.isBroken = false
        } catch ProjectError.changed {
            // It is being written to: the watch sees that too.
        } catch let failure as CommandFailure {
            self.tell(failure)
        } catch let error as ProjectError {
            self.tell(CommandFailure("\(error)"))
        } catch let refusal as OperatorClient.Refusal {
            self.tell(self.project?.failure(refusal, console: self.screen.console) ?? refusal.failure)
        }
    }

    private func tell(_ problem: CommandFailure) {
        self.fail()
        self.isBroken = true
        self.screen.print(self.text.problem(problem))
        if self.rollouts.values.contains(where: \.isLive) { self.screen.print("  \(DevText.servesOn)") }
    }

    private func deploy(_ change: ProjectChange) async throws {
        let source = try ConfigSource(path: self.options.config, verb: "dev")
        let project = LocalProject(source)
        guard project.problems.isEmpty, let config = project.config else {
            throw project.problems.failure(of: source.fileName, console: self.screen.console)
        }
        if !project.warnings.isEmpty, source.text != self.project?.source.text {
            self.screen.print(project.warnings.render(for: self.screen.console))
        }
        self.project = project
        self.screen.begin(change.paths.isEmpty ? "reading the project" : "reloading \(DevText.list(change.paths))")
        let hash = try await project.upload(to: self.server.client) { _ in }
        let isSame = self.deployed.map { $0.hash == hash && $0.config == source.text } ?? false
        // What failed is tried again by any save, since its cause may lie elsewhere.
        guard !isSame || self.rollouts.values.contains(where: \.isFailed) else {
            self.screen.clear()
            if self.isBroken { self.screen.print("  as it was; nothing to reload") }
            return self.resend(change)
        }
        let resources = config.resources
        // Splitters first: what they lead to cannot go before them.
        let order = (self.deployed?.resources ?? []).reversed().map(\.name)
        let gone = self.rollouts.keys.filter { name in !resources.contains { $0.name == name } }
            .sorted { order.firstIndex(of: $0) ?? .max < order.firstIndex(of: $1) ?? .max }
        // At once where another API wants the endpoint, else once the others are deployed.
        let endpoints = resources.map(\.networking.endpoint)
        let inTheWay = gone.filter { name in
            self.deployed?.resources.first { $0.name == name }.map { endpoints.contains($0.networking.endpoint) }
                ?? true
        }
        try await self.remove(inTheWay)
        for api in config.apis { await self.followLog(of: api.name) }
        let results = try await self.server.client.deploy(project.deployBody(hash, isLocal: true, force: true))
        self.deployed = Deployed(hash: hash, config: source.text, resources: resources)
        try await self.remove(gone.filter { !inTheWay.contains($0) })
        let warnings = ProblemList(results.flatMap { $0.warnings ?? [] }, severity: .warning, text: source.text)
        if !warnings.isEmpty { self.screen.print(warnings.render(for: self.screen.console)) }
        for result in results { self.begin(result, change) }
    }

    private func begin(_ result: DeployResponse, _ change: ProjectChange) {
        guard result.error.isEmpty, let api = result.api else {
            return self.tell(CommandFailure(result.error))
        }
        let version = api.deployment.version
        // Up to date: nothing of it has changed.
        guard self.rollouts[api.spec.name]?.attempt.version != version else { return }
        let attempt = DevAttempt(version: version, paths: change.paths, began: change.began)
        self.rollouts[api.spec.name] = .starting(attempt)
        self.spawn { try await self.follow(api.spec.name, attempt) }
    }

    /// Takes APIs away that are no longer in the config file.
    private func remove(_ names: [APIName]) async throws {
        for name in names {
            _ = try await self.server.client.delete("\(name)")
            self.rollouts[name] = nil
            self.endpoints[name] = nil
            self.followed[name] = nil
            self.screen.print("  \(name)   removed")
        }
    }

    /// Removes projects that no version runs from any more, of which each save makes one.
    func forgetProjects() async {
        guard let current = self.deployed?.hash, self.rollouts.values.allSatisfy(\.isLive) else { return }
        let folder = CortexHome(path: self.server.record.home).projects
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let hash = ProjectHash(name.prefix(64)), hash != current else { continue }
            try? await self.server.projects.remove(hash)
        }
    }
}
