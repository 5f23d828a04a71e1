import CortexControlPlane
import CortexLocalProvider
import CortexModels
import CortexServing
import Logging
import NIOCore

/// What workers get their models from: the library, the agent that fetches for it, and the package both run.
struct ModelSources {
    let models: ModelLibrary
    let agent: StorageAgent
    /// The folder that it is in.
    let workerPackage: String

    /// - Parameter ledger: Where the agent's process is written down, to be ended if this one is killed.
    init(
        _ configuration: ServerConfiguration,
        environments: EnvironmentBuilder,
        ledger: WorkerLedger,
        sockets: SocketDirectory,
        environment: [String: String],
        eventLoops: any EventLoopGroup,
        logger: Logger
    ) throws {
        self.workerPackage = try WorkerPackage.unpack(below: configuration.toolHome.tools)
        var launch = StorageAgentLaunch(
            environments: environments,
            package: self.workerPackage,
            sockets: sockets,
            environment: environment
        )
        launch.started = {
            ledger.started($0)
            OutOfMemoryScore.raise(of: $0)
        }
        launch.ended = { ledger.ended($0) }
        self.agent = StorageAgent(launch: launch, eventLoops: eventLoops, logger: logger)
        self.models = try ModelLibrary(
            folder: configuration.home.models,
            local: FolderStorage(),
            remote: self.agent,
            pollInterval: try ServerVariable.duration("CORTEX_MODEL_POLL_INTERVAL", in: environment) ?? .seconds(10),
            logger: logger
        )
    }
}

extension StorageAgentLaunch {
    /// In an environment of its own, which is built when it is first needed.
    init(
        environments: EnvironmentBuilder,
        package: String,
        sockets: SocketDirectory,
        environment: [String: String]
    ) {
        self.init(
            python: { progress in
                try await environments.toolEnvironment(packages: StorageAgent.requirements, progress: progress).python
            },
            package: package,
            socket: "\(sockets.path)/storage.sock",
            environment: environment
        )
    }
}
