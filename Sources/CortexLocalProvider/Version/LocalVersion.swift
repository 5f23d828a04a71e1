import CortexControlPlane
import CortexGateway
import CortexModels
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation
import NIOCore

/// One version of an API on this machine: its unpacked project, its environment, its queue and its replica.
actor LocalVersion {
    nonisolated let deployment: Deployment
    private let machine: LocalMachine
    private let log: APILog
    private let counters: ModelCounters
    private let userMetrics: UserMetrics
    /// How many were made of the deployment before this one, each with fewer packages.
    nonisolated let attempt: Int
    /// Its deployment's, with the attempt.
    private let id: String
    /// Folder of its own, below `CORTEX_HOME/versions`; gone when the version is.
    private let folder: String
    /// Keeps the folder from being pruned while the version is there.
    private var folderLease: FolderLease?
    /// Kept, so that it is not pruned either.
    private var environment: PythonEnvironment?
    private var environmentRequest: EnvironmentRequest?
    private(set) var running: Running?
    private var models: LocalModels?
    /// Ends what is being waited for: a build, a download, a pause, a device.
    private var endStep: (@Sendable () -> Void)?
    /// Nobody wants it any more: what is about to start must not.
    private var isEnded = false
    /// The server ends: the next one will want the files of the models.
    private var keepsModelFiles = false

    /// What there is of a version once it has been started.
    struct Running {
        var queue: AdmissionQueue
        var listener: WorkerListener
        var replica: Replica
    }

    init(
        deployment: Deployment,
        attempt: Int = 0,
        machine: LocalMachine,
        log: APILog,
        counters: ModelCounters,
        userMetrics: UserMetrics
    ) {
        self.deployment = deployment
        self.attempt = attempt
        self.machine = machine
        self.log = log
        self.counters = counters
        self.userMetrics = userMetrics
        self.id = attempt == 0 ? deployment.id : "\(deployment.id)-\(attempt)"
        self.folder = "\(machine.home.versions)/\(deployment.spec.name)/\(self.id)"
    }

    private var projectDirectory: String { "\(self.folder)/project" }

    // MARK: Starting

    /// Unpacks the project, makes the environment and brings the models; `progress` hears of each step.
    func prepare(progress: @escaping @Sendable (BuildProgress) -> Void) async throws -> WorkerLaunch {
        guard let hash = ProjectHash(self.deployment.project) else {
            throw VersionError.badProject(self.deployment.project)
        }
        // What a server left that was killed while it unpacked is no project.
        try? FileManager.default.removeItem(atPath: self.folder)
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        self.folderLease = FolderLease(self.folder)
        try await self.machine.projects.unpack(hash, into: self.projectDirectory)
        let cache = "\(self.folder)/cache"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let dotEnv = try self.readDotEnv()
        let log = self.log
        let version = self.deployment.version
        let variables = WorkerEnvironment(
            deployment: self.deployment,
            projectDirectory: self.projectDirectory,
            cacheDirectory: cache,
            dotEnv: dotEnv,
            version: self.machine.version,
            machine: self.machine.capacity,
            gateway: self.machine.workerAddress,
            isChaining: self.machine.isChaining,
            hidesGPUs: self.deployment.spec.compute.gpu == 0 && self.machine.devices.inventory.hasGraphicsProcessors()
        ).variables(base: self.machine.environment)
        let spec = self.deployment.spec
        let request = EnvironmentRequest(
            api: spec.name,
            project: hash,
            projectFolder: self.projectDirectory,
            spec: spec,
            variables: variables
        )
        self.environmentRequest = request
        let environments = self.machine.environments
        let environment = try await self.endable {
            try await environments.environment(for: request) { said in
                if !said.isPassing { log.write(said.text, version: version, stream: "environment") }
                progress(said)
            }
        }
        self.environment = environment
        try environment.addMadeFiles(to: self.projectDirectory)
        let models = try await self.endable { try await self.openModels(dotEnv: dotEnv) { progress(.step($0)) } }
        self.models = models
        return WorkerLaunch(
            python: environment.python,
            package: self.machine.workerPackage,
            socket: self.machine.nextSocketPath(),
            environment: variables,
            welcome: self.welcome,
            models: models?.desk ?? .none,
            userMetrics: self.userMetrics
        )
    }

    /// Waits for a step in a task of its own, so that `drain` can end what nobody wants any more; steps come one at a time.
    private func endable<Value: Sendable>(_ step: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard !self.isEnded else { throw CancellationError() }
        let task = Task { try await step() }
        self.endStep = { task.cancel() }
        defer { self.endStep = nil }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Lets some time pass; false where the version ends meanwhile.
    func pause(for duration: Duration) async -> Bool {
        guard (try? await self.endable { try await Task.sleep(for: duration) }) != nil else { return false }
        return !self.isEnded
    }

    /// Nil where the API has no models.
    private func openModels(
        dotEnv: [(key: String, value: String)],
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> LocalModels? {
        let deployment = self.deployment
        let own = deployment.spec.predictor.env.merging(dotEnv.map { ($0.key, $0.value) }) { $1 }
        let folders = [deployment.projectDirectory, self.projectDirectory].compactMap { $0 }
        guard let request = ModelRequest(spec: deployment.spec, folders: folders, environment: own) else { return nil }
        let log = self.log
        return try await LocalModels.open(
            request,
            in: self.machine.models,
            owner: deployment.id,
            isStrict: !deployment.wasLive,
            counters: self.counters,
            log: { log.write(level: $0, $1, version: deployment.version, worker: $2 ?? "") },
            progress: progress
        )
    }

    /// Has the next environment of this project hold the package that gives `module`; nil where that would change nothing.
    func add(module: String) async throws -> String? {
        guard let request = self.environmentRequest else { return nil }
        return try await self.machine.environments.add(module: module, for: request)
    }

    /// What to do where `module` is not there, and no package can be added for it.
    func advice(missing module: String) -> String {
        MissingAdvice.text(for: module, own: RequirementFiles(projectFolder: self.projectDirectory).names)
    }

    private func readDotEnv() throws -> [(key: String, value: String)] {
        let path = "\(self.projectDirectory)/.env"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try DotEnv.parse(try String(contentsOfFile: path, encoding: .utf8))
    }

    private var welcome: WelcomeMessage {
        let predictor = self.deployment.spec.predictor
        return WelcomeMessage(
            api: self.deployment.spec.name.description,
            apiVersion: self.deployment.version,
            projectDirectory: self.projectDirectory,
            predictorPath: predictor.path,
            predictorType: predictor.type,
            pythonPath: predictor.pythonPath,
            config: predictor.config,
            threads: predictor.threadsPerProcess,
            spoolDirectory: self.machine.home.spool,
            inlineLimit: self.machine.payloadLimits.inlineLimit,
            jsonDepthLimit: self.machine.payloadLimits.jsonDepth,
            formPartLimit: self.machine.payloadLimits.formParts
        )
    }

    /// Gives the workers of `launch` the devices that the API asks for, once they are to be had.
    ///
    /// - Parameter onWait: Hears, in a sentence, what is waited for.
    func withDevices(
        _ launch: WorkerLaunch,
        onWait: @escaping @Sendable (String) async -> Void
    ) async throws -> WorkerLaunch {
        var launch = launch
        for kind in DeviceKind.allCases {
            let count = kind.count(in: self.deployment.spec.compute)
            guard count > 0 else { continue }
            let owner = self.owner
            let devices = self.machine.devices
            let grant = try await self.endable { try await devices.take(count, kind, for: owner, onWait: onWait) }
            self.log.write("\(grant)", version: self.deployment.version)
            launch.environment.merge(grant.variables) { $1 }
            let processes = self.deployment.spec.predictor.processesPerReplica
            launch.environmentByWorker = grant.variablesByWorker(processes: processes)
        }
        return launch
    }

    private var owner: DeviceTable.Owner {
        DeviceTable.Owner(deployment: self.id, api: self.deployment.spec.name)
    }

    /// Starts the replica, and runs until it has ended; what happens to it goes to `report`.
    func run(_ launch: WorkerLaunch, report: @escaping @Sendable (Replica.Event) async -> Void) async throws {
        let spec = self.deployment.spec
        let name = "\(spec.name)-\(self.deployment.version)-\(self.attempt)"
        let registry = WorkerRegistry()
        // A worker that outlives its deadline is ended by its replica, which is made after the queue that finds it out.
        let (overdue, ended) = AsyncStream.makeStream(
            of: (worker: String, exit: WorkerExit).self,
            bufferingPolicy: .bufferingNewest(1024)
        )
        let queue = AdmissionQueue(
            on: self.machine.eventLoops.next(),
            apiVersion: self.deployment.version,
            limit: spec.autoscaling.maxReplicaConcurrency,
            handOverDepth: self.machine.handOverDepth,
            endWorker: { ended.yield(($0, $1)) }
        )
        let listener = try await WorkerListener(
            path: launch.socket,
            queue: queue,
            registry: registry,
            logger: self.machine.logger
        )
        guard !self.isEnded else { return await listener.close() }
        let log = self.log
        let version = self.deployment.version
        var launch = launch
        if spec.compute.memory != nil {
            // A constructor that needs too much must not be live for a moment.
            let memory = self.machine.memory
            launch.inspect = { await memory.look(at: name) }
        }
        let replica = Replica(
            name: name,
            processes: spec.predictor.processesPerReplica,
            launch: launch,
            queue: queue,
            registry: registry,
            ledger: self.machine.ledger,
            kernelKills: self.machine.kernelKills,
            log: { log.write($0, version: version, worker: $1) },
            report: report
        )
        self.running = Running(queue: queue, listener: listener, replica: replica)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await (worker, exit) in overdue { await replica.end(worker, as: exit) }
            }
            if let models = self.models {
                group.addTask {
                    for await change in models.changes { await queue.announceModels(models.apply(change)) }
                }
            }
            await self.withinMemory(replica, named: name) { await replica.run() }
            group.cancelAll()
        }
        await listener.close()
        await queue.abandon()
        self.running = nil
    }

    /// Has the replica's memory watched while `body` runs, if it has a limit.
    private func withinMemory(_ replica: Replica, named name: String, _ body: () async -> Void) async {
        guard let limit = self.deployment.spec.compute.memory else { return await body() }
        let directory = self.projectDirectory
        let subject = MemoryWatch.Subject(
            limit: limit,
            workers: { await replica.familyHeads(in: directory) },
            end: { await replica.end($0, as: .outOfMemory($1)) }
        )
        await self.machine.memory.add(name, subject)
        await body()
        await self.machine.memory.remove(name)
    }

    // MARK: While it runs

    /// Its workers' processes.
    func workers() async -> Set<WorkerFamilies.Worker> {
        await self.running?.replica.familyHeads(in: self.projectDirectory) ?? []
    }

    /// The upstream for the gateway; nil before the replica was ready.
    func upstream() async -> QueueUpstream? {
        guard let running = self.running, let contract = await self.contract() else { return nil }
        return QueueUpstream(
            queue: running.queue,
            arguments: contract.arguments,
            log: self.log,
            version: self.deployment.version,
            health: { await running.replica.health() }
        )
    }

    /// It serves from now on.
    func becameLive() {
        self.models?.becameLive()
    }

    /// The environment that its workers run in; nil before there is one.
    var environmentKey: String? { self.environment.map { "\($0.key)" } }

    /// The models of this version; nil where it has none, and before they were brought.
    var ownModels: LocalModels? { self.models }

    /// How often a model was in memory when it was wanted, and how often not, as far as workers tell within `limit`.
    func modelCounts(within limit: Duration) async -> ModelCounts {
        guard self.models != nil, let running = self.running else { return ModelCounts() }
        return await running.replica.modelCounts(within: limit)
    }

    /// What its predictor is made of; nil before the replica was ready.
    func contract() async -> ReadyMessage? {
        await self.running?.replica.contract
    }

    func setLimit(_ limit: Int) async {
        await self.running?.queue.setLimit(limit)
    }

    // MARK: Ending

    /// Finishes what is in flight, then ends the workers.
    ///
    /// `run` returns soon after.
    /// - Parameters:
    ///   - grace: How long what is in flight may take.
    ///   - keepsModelFiles: Whether the models stay on disk, for the next server.
    func drain(grace: Duration, keepsModelFiles: Bool = false) async {
        self.isEnded = true
        self.keepsModelFiles = keepsModelFiles
        self.endStep?()
        guard let running = self.running else { return }
        let isFinished = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await running.queue.drain()
                return true
            }
            group.addTask {
                guard (try? await Task.sleep(for: grace)) != nil else { return true }
                return await running.queue.abandon()
            }
            defer { group.cancelAll() }
            return await group.next() ?? true
        }
        self.counters.ended(await self.modelCounts(within: .milliseconds(250)))
        // A worker that still runs what nobody waits for has had its time.
        await running.replica.drain(grace: isFinished ? .seconds(10) : .seconds(1))
    }

    /// Lets go of the models and the devices, and takes the version's folder away.
    func removeFiles() async {
        await self.machine.devices.release(self.owner)
        if let models = self.models { await models.close(keepFiles: self.keepsModelFiles) }
        try? FileManager.default.removeItem(atPath: self.folder)
        self.folderLease = nil
        self.environment = nil
    }
}
