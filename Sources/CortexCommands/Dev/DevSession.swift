import CortexControlPlane
import CortexLocalProvider
import CortexSpec
import CortexTelemetry
import Foundation

/// One run of `cortex dev`: deploys the project, again after each change, and shows what happens.
///
/// Everything that is written goes through this actor, so that lines never mix.
actor DevSession {
    struct Options: Sendable {
        /// The config file, as it was named.
        var config: String
        /// Whether samples are sent.
        var sendsSamples = true
        /// Whether it ends once all is live, or not, and the samples are answered.
        var isOnce = false
        /// Since when the person waits.
        var started = ContinuousClock.now
    }

    /// A project that the server has, and APIs of it.
    struct Deployed {
        var hash: ProjectHash
        var config: String
        var resources: [ResourceSpec]
    }

    let server: RunningServer
    let options: Options
    let text: DevText
    var screen: DevScreen
    /// The project as it was read last without a problem.
    var project: LocalProject?
    /// What the server was asked for last, and took.
    var deployed: Deployed?
    /// Whether what was read last could not be deployed.
    var isBroken = false
    var rollouts: [APIName: DevRollout] = [:]
    /// APIs whose log is shown, each with a stream that ends with it.
    var followed: [APIName: AsyncStream<Void>] = [:]
    /// What was said to be well, each once.
    var checks: Set<String> = []
    /// Where each API was last said to be.
    var endpoints: [APIName: String] = [:]
    var samplesSent = 0
    var feed = DevRequestFeed()
    private var summaryIsDue = false
    private var hasSaidHow = false
    /// Versions that serve, or have.
    var liveVersions: [APIName: Set<Int>] = [:]
    /// The newest version of which another start was tried before it was live.
    private var retried: [APIName: Int] = [:]
    /// Whether something of an `isOnce` run was not as it should be.
    private(set) var hasFailed = false
    private let jobs: AsyncStream<@Sendable () async throws -> Void>
    private let jobsIn: AsyncStream<@Sendable () async throws -> Void>.Continuation
    private var running = 0
    /// Whether an `isOnce` run has done all that it had to.
    private var isEnding = false

    init(server: RunningServer, options: Options, text: DevText, console: Console) {
        self.server = server
        self.options = options
        self.text = text
        self.screen = DevScreen(console: console)
        // A few for each change; none may be lost.
        (self.jobs, self.jobsIn) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Until the task is cancelled, or (`isOnce`) all is done.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await line in self.server.accessLog.follow() { await self.heard(request: line) }
            }
            group.addTask { try await self.serve() }
            for await job in self.jobs { group.addTask { try await job() } }
            group.cancelAll()
        }
        self.screen.clear()
    }

    /// Runs a job beside others.
    func spawn(_ job: @escaping @Sendable () async throws -> Void) {
        self.running += 1
        self.jobsIn.yield {
            try await job()
            await self.jobEnded()
        }
    }

    private func jobEnded() {
        self.running -= 1
        self.endIfDone()
    }

    private func endIfDone() {
        guard self.options.isOnce, self.running == 0, !self.isEnding else { return }
        self.isEnding = true
        self.jobsIn.yield {
            await self.endAPIs()
            self.jobsIn.finish()
        }
    }

    func fail() {
        self.hasFailed = true
    }

    /// What the person can do next, once the first try of all APIs is over.
    func sayHow() {
        guard !self.options.isOnce, !self.hasSaidHow, self.rollouts.values.allSatisfy(\.isSettled) else { return }
        self.hasSaidHow = true
        self.screen.print(self.text.dim("  saved files are reloaded; Ctrl-C ends"))
    }

    // MARK: Changes

    private func serve() async throws {
        let source = try ConfigSource(path: self.options.config, verb: "dev")
        // Looked at before it is read, so that what is saved meanwhile is a change.
        var watch = await ProjectWatch(root: source.root, configFile: source.fileName) {
            await self.samplePaths(source)
        }
        try await self.load(ProjectChange(paths: [], began: self.options.started))
        guard !self.options.isOnce else { return self.endIfDone() }
        self.sayHow()
        while let change = await watch.next() { try await self.load(change) }
    }

    /// Samples of the APIs that the project had when it was read last.
    private func samplePaths(_ source: ConfigSource) -> [String] {
        let apis = (self.project ?? LocalProject(source)).config?.apis ?? []
        return apis.compactMap { SampleRequest(for: $0, in: source.root)?.path }
    }

    // MARK: Logs

    func followLog(of name: APIName) async {
        guard self.followed[name] == nil else { return }
        let (shown, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.followed[name] = shown
        let lines = await self.server.provider.followLog(of: name)
        // Ends with the API, and so is no job that `isOnce` waits for.
        self.jobsIn.yield {
            for await line in lines { await self.heard(line, of: name) }
            end.finish()
        }
    }

    /// Ends all APIs, and returns once all that their workers wrote is shown: the last of it may come after their last answer.
    private func endAPIs() async {
        var ended: [APIName] = []
        // Splitters first: what they lead to cannot go before them.
        for name in (self.deployed?.resources ?? []).reversed().map(\.name) {
            // One that was refused is not there, and its log does not end.
            if (try? await self.server.client.delete("\(name)")) != nil { ended.append(name) }
        }
        for name in ended {
            guard let shown = self.followed[name] else { continue }
            for await _ in shown {}
        }
    }

    private func heard(_ json: String, of name: APIName) {
        guard let line = DevLogLine(json) else { return }
        let isLive = self.liveVersions[name]?.contains(line.version) ?? false
        // A version that failed is tried again and again; once was enough.
        if line.isOfRetry, !isLive { self.retried[name] = line.version }
        guard isLive || self.retried[name] != line.version, line.isShown(isLive: isLive) else { return }
        let tag = self.project?.config?.apis.count ?? 0 > 1 ? "\(name)" : nil
        self.screen.print(self.text.output(line, tag: tag, isLive: isLive))
    }

    private func heard(request json: String) {
        guard let request = DevRequestLine(json), !request.request_id.hasPrefix(Self.sampleID) else { return }
        guard !self.feed.admits(at: .now) else { return self.screen.print(self.text.request(request)) }
        guard !self.summaryIsDue else { return }
        self.summaryIsDue = true
        self.jobsIn.yield {
            try await Task.sleep(for: .seconds(1))
            await self.summarise()
        }
    }

    private func summarise() {
        self.summaryIsDue = false
        self.screen.print(self.text.dim("… and \(self.feed.takeHidden()) more requests"))
    }
}
