import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation

/// What the provider writes down of an API, for gateways, for `kubectl`, and for the operator after this one.
extension KubernetesProvider {
    func writeStatus(of api: APIName) async throws {
        guard let object = await self.store.object(of: api), let diary = await self.store.diary(of: api) else { return }
        let record = await self.store.wanted(api)
        var status: [String: JSONValue]
        if let splitter = self.splitters[api] {
            status = try self.status(splitter, object, record)
        } else if let view = self.apis[api] {
            status = try self.status(view, object, record)
        } else {
            return
        }
        status["events"] = try JSONValue(encoding: diary.events)
        if let autoscaler = diary.autoscaler { status["autoscaler"] = .string(autoscaler) }
        // Nulls take away what was there; what is written is compared without the times that change by themselves.
        guard self.written[api] != .object(status) else { return }
        do {
            let written = try await self.client.patch(
                object.resource,
                api.description,
                subresource: "status",
                ["status": .object(status)]
            )
            await self.store.saw(RealtimeAPI(written))
            self.written[api] = .object(status)
        } catch let error as KubernetesError where error.isNotFound {
            // Deleted meanwhile.
        }
    }

    private func status(
        _ view: APIView,
        _ object: RealtimeAPI,
        _ record: DeploymentRecord?
    ) throws -> [String: JSONValue] {
        let (code, reason) = view.status
        let isReady = code == .live || view.isServing
        let route = (view.serving ?? view.wanted)
        let networking = route.spec.networking
        return [
            "observedGeneration": object.object.generation.map { .int(Int64($0)) } ?? .null,
            "version": .int(Int64(view.wanted.version)),
            "servingVersion": view.serving.map { .int(Int64($0.version)) } ?? .null,
            "deployment": .string(view.wanted.id),
            "code": .string(code.rawValue),
            "message": .string(code.label),
            "reason": reason.map { .string($0) } ?? .null,
            "progress": view.progress.map { .string($0) } ?? .null,
            "replicas": try JSONValue(encoding: view.counts),
            "endpoint": .string(self.endpoint + networking.endpoint),
            "lastUpdated": record.map { .string($0.createdAt.formatted(.iso8601)) } ?? .null,
            "route": try JSONValue(
                encoding: RouteStatus(
                    version: route.version,
                    networking: networking,
                    maxReplicaConcurrency: route.spec.autoscaling.maxReplicaConcurrency,
                    isAsleep: view.isAsleep
                )
            ),
            "conditions": [
                self.readyCondition(isReady, code, reason, before: object.object["status", "conditions"])
            ],
        ]
    }

    private func status(
        _ view: SplitterView,
        _ object: RealtimeAPI,
        _ record: DeploymentRecord?
    ) throws -> [String: JSONValue] {
        let (code, reason) = view.status(self.targets(of: view.wanted))
        let networking = (view.serving ?? view.wanted).spec.networking
        let route = try view.serving.map {
            try JSONValue(encoding: SplitRouteStatus(version: $0.version, spec: $0.spec))
        }
        return [
            "observedGeneration": object.object.generation.map { .int(Int64($0)) } ?? .null,
            "version": .int(Int64(view.wanted.version)),
            "code": .string(code.rawValue),
            "message": .string(code.label),
            "reason": reason.map { .string($0) } ?? .null,
            "endpoint": .string(self.endpoint + networking.endpoint),
            "lastUpdated": record.map { .string($0.createdAt.formatted(.iso8601)) } ?? .null,
            "route": route ?? .null,
            "conditions": [
                self.readyCondition(code == .live, code, reason, before: object.object["status", "conditions"])
            ],
        ]
    }

    /// For `kubectl wait --for=condition=Ready`.
    private func readyCondition(
        _ isReady: Bool,
        _ code: APIStatus,
        _ reason: String?,
        before: JSONValue?
    ) -> JSONValue {
        let word = isReady ? "True" : "False"
        let old = before?.array?.first { $0["type"]?.string == "Ready" }
        let since = old?["status"]?.string == word ? old?["lastTransitionTime"]?.string : nil
        return [
            "type": "Ready", "status": .string(word), "reason": .string("\(code)".capitalizedWord),
            "message": .string(reason ?? code.label),
            "lastTransitionTime": .string(since ?? Date().formatted(.iso8601)),
        ]
    }

    /// A load balancer gets its address some time after it was asked for.
    func findEndpoint() async {
        guard self.settings.endpoint == nil else { return }
        if let asked = self.endpointAskedAt, ContinuousClock.now - asked < .seconds(30) { return }
        self.endpointAskedAt = .now
        guard let service = try? await self.client.get(.services, CortexNames.gatewayName),
            let ingress = service["status", "loadBalancer", "ingress"]?.array?.first,
            let host = ingress["hostname"]?.string ?? ingress["ip"]?.string
        else { return }
        self.endpoint = "http://\(host.contains(":") ? "[\(host)]" : host):\(CortexNames.dataPort)"
    }
}

extension String {
    /// As reasons of conditions are written.
    fileprivate var capitalizedWord: String { self.prefix(1).uppercased() + self.dropFirst() }
}
