import CortexControlPlane
import CortexLocalProvider
import CortexModels
import CortexServing
import Foundation
import Logging
import NIOPosix
import ServiceLifecycle

/// Where an operator keeps projects: in a volume of its own, or in an object store, by a storage agent.
struct OperatorProjects {
    let store: ProjectStore
    /// What has to run for it; nil where nothing has.
    let service: ProjectPlaceService?
    private let sockets: SocketDirectory?

    /// - Parameter place: The URL of a place in an object store; nil for the volume.
    init(_ place: String?, home: CortexHome, logger: Logger) async throws {
        guard let place else {
            self.store = try ProjectStore(folder: home.projects)
            self.service = nil
            self.sockets = nil
            return
        }
        let environments = try await ServerVariable.environments(home: home)
        let sockets = try SocketDirectory(home: home)
        let agent = StorageAgent(
            launch: StorageAgentLaunch(
                environments: environments,
                package: try WorkerPackage.unpack(below: home.tools),
                sockets: sockets,
                environment: ProcessInfo.processInfo.environment
            ),
            eventLoops: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        self.store = try ProjectStore(folder: home.projects, storage: ProjectPlace(place, agent: agent))
        self.service = ProjectPlaceService(agent: agent, store: self.store, logger: logger)
        self.sockets = sockets
    }

    func remove() { self.sockets?.remove() }
}

/// Runs the storage agent, and tries the place once: so its environment is there before the first project comes.
struct ProjectPlaceService: Service {
    let agent: StorageAgent
    let store: ProjectStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    if let problem = await self.store.problem(), !Task.isCancelled {
                        self.logger.error("the project store cannot be used", metadata: ["error": "\(problem)"])
                    }
                }
                await self.agent.run()
                group.cancelAll()
            }
        }
    }
}
