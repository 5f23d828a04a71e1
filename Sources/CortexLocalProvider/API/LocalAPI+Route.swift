import CortexControlPlane
import CortexGateway
import CortexServing
import CortexSpec
import CortexTelemetry
import NIOCore

/// What the gateway knows of the API.
extension LocalAPI {
    /// Has requests come to the queue, by the settings of the deployment that is in effect.
    func publish(_ version: LocalVersion) async {
        guard version === self.serving, !self.isWithdrawn else { return }
        let upstream = QueueUpstream(
            queue: self.queue,
            arguments: self.servingContract.map { PredictArguments(names: $0.arguments) } ?? .all,
            log: self.log,
            health: { await self.health() }
        )
        await self.machine.gateway.setRoute(self.route(to: self.adopted ?? version.deployment, upstream))
    }

    /// While nothing serves, requests are told why.
    /// - Parameter retryAfter: Seconds; more where it is not likely to answer soon.
    func publishAbsence(
        of version: LocalVersion,
        reason: String,
        retryAfter: Int = 1,
        nextStart: ContinuousClock.Instant? = nil
    ) async {
        guard self.serving == nil, version === self.wanted, !self.isWithdrawn else { return }
        let upstream = UnavailableUpstream(reason: reason, retryAfter: retryAfter, nextStart: nextStart)
        await self.machine.gateway.setRoute(self.route(to: version.deployment, upstream))
    }

    /// Requests are told how often a version was tried that never came up, and when it is tried again.
    func publishRetry(of version: LocalVersion) async {
        guard self.serving == nil, version === self.wanted, case .failed = self.rollout else { return }
        let health = await self.health(of: self.replicas.filter { $0.replica.version === version })
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
