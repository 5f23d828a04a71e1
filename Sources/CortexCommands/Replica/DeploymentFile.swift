import CortexControlPlane
import CortexSpec
import Foundation

/// The file that tells a pod what to run.
struct DeploymentFile: Sendable {
    let path: String

    init(environment: [String: String]) {
        let named = ServerVariable.text("CORTEX_DEPLOYMENT_FILE", in: environment)
        self.path = named ?? "/cortex/deployment/deployment.json"
    }

    func read() throws -> Deployment {
        do {
            let content = try Data(contentsOf: URL(filePath: self.path))
            return try StateJSON.specDecoder().decode(Deployment.self, from: content)
        } catch let error as CocoaError {
            throw CommandFailure("\(self.path) cannot be read: \(error.localizedDescription)")
        } catch {
            throw CommandFailure("\(self.path) holds no deployment: \(error)")
        }
    }

    /// The deployments that follow `deployment`, as the file is replaced, and why it cannot be read, once.
    ///
    /// Looked at again and again: the kubelet replaces it, at a time of its own, by a link to another folder.
    func changes(after deployment: Deployment) -> AsyncStream<Result<Deployment, any Error>> {
        AsyncStream { continuation in
            let task = Task {
                var current = deployment
                var flaw: String?
                while (try? await Task.sleep(for: .seconds(2))) != nil {
                    let found = Result { try self.read() }
                    let said = found.failureText
                    if said != nil, said != flaw { continuation.yield(found) }
                    flaw = said
                    guard case .success(let next) = found, !next.isSame(as: current) else { continue }
                    current = next
                    continuation.yield(found)
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

extension Result {
    /// Nil where it is none.
    fileprivate var failureText: String? {
        guard case .failure(let error) = self else { return nil }
        return CommandFailure.text(of: error)
    }
}

extension Deployment {
    /// Whether nothing differs that a running replica could take over: whether any was live before is for those to come.
    fileprivate func isSame(as other: Deployment) -> Bool {
        var own = self
        own.wasLive = other.wasLive
        return own == other
    }

    /// The deployment as one pod has it: one replica of it, whoever may call it and by whatever path is the gateway's matter.
    var ofReplica: Deployment {
        var own = self
        own.replicas = 1
        own.projectDirectory = nil
        own.spec.autoscaling.minReplicas = 1
        own.spec.autoscaling.maxReplicas = 1
        own.spec.autoscaling.initReplicas = 1
        // No path that monitors ask for.
        own.spec.networking.endpoint = "/api-\(self.spec.name)"
        own.spec.networking.allowedOrigins = ["*"]
        own.spec.networking.apiKeys = []
        own.spec.networking.maxBodySize = ByteCount(1 << 50)
        if own.spec.predictor.servingImage != nil {
            // Devices are those of the container where the models run.
            own.spec.compute.gpu = 0
            own.spec.compute.inf = 0
        }
        return own
    }
}
