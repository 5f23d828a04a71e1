import CortexControlPlane
import CortexModels
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation

/// One version of an API on this machine: its unpacked project, its environment, its models, and how its workers start.
///
/// It is prepared once, however many replicas run of it.
actor LocalVersion {
    nonisolated let deployment: Deployment
    private let machine: LocalMachine
    nonisolated let log: APILog
    private let counters: ModelCounters
    private let userMetrics: UserMetrics
    /// How many were made of the deployment before this one, each with fewer packages.
    nonisolated let attempt: Int
    /// Its deployment's, with the attempt.
    nonisolated let id: String
    /// Folder of its own, below `CORTEX_HOME/versions`; gone when the version is.
    private nonisolated let folder: String
    /// Keeps the folder from being pruned while the version is there.
    private var folderLease: FolderLease?
    /// Kept, so that it is not pruned either.
    private var environment: PythonEnvironment?
    private var environmentRequest: EnvironmentRequest?
    private var models: LocalModels?
    private let steps = Interruption()
    private var opening: Opening?
    private var isClosed = false

    /// What replicas are started from.
    struct Opening: Sendable {
        var launch: WorkerLaunch
        var listener: WorkerListener
        var registry: WorkerRegistry
        /// The environment that its workers run in.
        var environmentKey: String?
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

    nonisolated var projectDirectory: String { "\(self.folder)/project" }

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
        let dotEnv = try DotEnv.read(inProject: self.projectDirectory)
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
            hasNameService: self.machine.hasNameService,
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
        let environment = try await self.steps.run {
            try await environments.environment(for: request) { said in
                if !said.isPassing { log.write(said.text, version: version, stream: "environment") }
                progress(said)
            }
        }
        self.environment = environment
        try environment.addMadeFiles(to: self.projectDirectory)
        let models = try await self.steps.run { try await self.openModels(dotEnv: dotEnv) { progress(.step($0)) } }
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

    /// Lets some time pass; false where the version ends meanwhile.
    func pause(for duration: Duration) async -> Bool { await self.steps.pause(for: duration) }

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
        MissingAdvice.text(
            for: module,
            own: RequirementFiles(projectFolder: self.projectDirectory).names,
            isFixed: self.machine.environments.isReadOnly
        )
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

    // MARK: While it runs

    /// Makes the socket to which its workers connect; replicas can be started after this.
    func open(_ launch: WorkerLaunch, _ queue: AdmissionQueue) async throws -> Opening {
        let registry = WorkerRegistry()
        let listener = try await WorkerListener(
            path: launch.socket,
            queue: queue,
            registry: registry,
            logger: self.machine.logger
        )
        let opening = Opening(
            launch: launch,
            listener: listener,
            registry: registry,
            environmentKey: self.environment.map { "\($0.key)" }
        )
        self.opening = opening
        guard !self.steps.isEnded else { throw CancellationError() }
        return opening
    }

    /// Tells its workers what changes of its models, until it ends.
    /// - Parameter replicas: The names of those there are of it.
    func announceModels(on queue: AdmissionQueue, to replicas: @escaping @Sendable () async -> Set<String>) async {
        guard let models = self.models else { return }
        _ = try? await self.steps.run {
            for await change in models.changes {
                let body = models.apply(change)
                await queue.announceModels(body, to: await replicas())
            }
        }
    }

    /// It serves from now on.
    func becameLive() {
        self.models?.becameLive()
    }

    /// The models of this version; nil where it has none, and before they were brought.
    var ownModels: LocalModels? { self.models }

    /// A file of its project; nil where it cannot be read.
    nonisolated func projectFile(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(self.projectDirectory)/\(path)").map { Array($0) }
    }

    // MARK: Ending

    /// Ends what it waits for: nobody wants it any more.
    nonisolated func end() { self.steps.end() }

    /// Lets go of its socket, its models and its files, once none of its replicas is left.
    /// - Parameter keepsModelFiles: Whether the models stay on disk, for the next server.
    func close(keepsModelFiles: Bool) async {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.steps.end()
        await self.opening?.listener.close()
        if let models = self.models { await models.close(keepFiles: keepsModelFiles) }
        try? FileManager.default.removeItem(atPath: self.folder)
        self.folderLease = nil
        self.environment = nil
    }
}
