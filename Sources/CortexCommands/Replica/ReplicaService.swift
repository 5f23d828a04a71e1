import CortexControlPlane
import CortexGateway
import CortexLocalProvider
import CortexSpec
import Logging
import ServiceLifecycle

/// Has the provider run what the pod's file says; returns when that does not come up.
actor ReplicaService: Service {
    private let file: DeploymentFile
    private var deployment: Deployment
    private let provider: LocalProvider
    private let gateway: Gateway
    private let logger: Logger
    private var isLive = false
    /// Why it did not come up.
    private(set) var failure: String?

    init(
        file: DeploymentFile,
        deployment: Deployment,
        provider: LocalProvider,
        gateway: Gateway,
        logger: Logger
    ) {
        self.file = file
        self.deployment = deployment
        self.provider = provider
        self.gateway = gateway
        self.logger = logger
    }

    func run() async throws {
        await self.provider.apply(self.deployment.ofReplica, fallback: nil)
        await self.gateway.finishLoading()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.watchProvider() }
                group.addTask { await self.watchFile() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Returns when the version does not come up.
    private func watchProvider() async {
        for await event in self.provider.events {
            let metadata: Logger.Metadata = ["version": "\(event.version)", "event": "\(event.kind.rawValue)"]
            switch event.kind {
            case .live: self.isLive = true
            case .failed where !self.isLive:
                self.logger.error("\(event.message)", metadata: metadata)
                self.failure = event.message
                return
            case .failed, .crashLoop, .workerExited:
                self.logger.error("\(event.message)", metadata: metadata)
                continue
            case .progress, .scaled, .removed: break
            }
            self.logger.info("\(event.message)", metadata: metadata)
        }
    }

    /// Takes over what changes without new workers; what needs new ones gets new pods.
    private func watchFile() async {
        for await found in self.file.changes(after: self.deployment) {
            let next: Deployment
            do {
                next = try found.get()
            } catch {
                let reason = CommandFailure.text(of: error)
                self.logger.warning("the deployment stays as it was", metadata: ["error": "\(reason)"])
                continue
            }
            let (version, known) = (next.version, self.deployment)
            guard next.spec.name == known.spec.name, next.ofReplica.hasSameWorkers(as: known.ofReplica) else {
                self.logger.warning(
                    "another deployment, which needs other workers, is left to other pods",
                    metadata: ["version": "\(version)"]
                )
                continue
            }
            self.deployment = next
            self.logger.info("the deployment has changed", metadata: ["version": "\(version)"])
            await self.provider.apply(next.ofReplica, fallback: nil)
        }
    }
}
