package import CortexControlPlane
import CortexKubernetes
package import CortexSpec
package import Foundation
import Logging

extension ClusterStore: DeploymentStore {
    package func add(_ draft: DeploymentDraft, at now: Date) async throws -> DeploymentRecord {
        let name = draft.spec.name
        let object = try await self.writeSpec(draft)
        let owner = object.object.uid ?? ""
        var records = self.entries[name].map { $0.object.object.uid == owner ? $0.records : [] } ?? []
        if let last = records.last, last.outcome == .pending {
            try await self.settle(.superseded, version: last.deployment.version, of: name)
            records[records.count - 1].outcome = .superseded
        }
        let record = try await self.createRevision(draft, after: records.last, owner: owner, at: now)
        records.append(record)
        var entry = self.entries[name] ?? Entry(object: object, records: [])
        entry.object = object
        entry.records = records
        self.entries[name] = entry
        let origin = draft.origin.map { ": as version \($0) was" } ?? ""
        let version = record.deployment.version
        let words = "version \(version) \(draft.cause.words) by \(draft.deployedBy)\(origin)"
        self.append(draft.cause.rawValue, words, api: name, version: version, at: now)
        await self.forgetOldest(of: name)
        return record
    }

    /// Has the object say what is wanted; where it says so already (somebody applied it), it is left to whose it is.
    private func writeSpec(_ draft: DeploymentDraft) async throws -> RealtimeAPI {
        let name = draft.spec.name
        let resource = draft.spec.resource
        var there = self.seen[name]
        // What was seen may be old; a write that is not needed would take the object from whose it is.
        if there?.resource != resource || (try? there?.spec()) == nil {
            there = try await self.client.get(resource, name.description).map { RealtimeAPI($0) }
        }
        let known = try? there?.spec()
        let spec = RealtimeAPI.Spec(
            config: ConfigEntry.json(of: name.description, in: draft.config) ?? known?.config ?? [:],
            configFile: draft.configFile,
            project: draft.spec.api.map { _ in
                RealtimeAPI.Project(
                    hash: draft.identity.project,
                    url: known?.project?.url(of: draft.identity.project)
                )
            },
            refresh: draft.spec.api.map { _ in draft.generation }
        )
        self.expected[name] = spec
        if let there, let known, known.asksFor(spec), !there.object.isBeingDeleted { return self.answered(there, name) }
        let object = try RealtimeAPI(
            resource,
            name: name,
            namespace: self.client.namespace,
            spec: spec,
            deployedBy: draft.deployedBy
        )
        return self.answered(RealtimeAPI(try await self.client.apply(resource, object.object)), name)
    }

    private func answered(_ object: RealtimeAPI, _ name: APIName) -> RealtimeAPI {
        self.answered[name] = Answered(uid: object.object.uid, generation: object.object.generation ?? 0)
        return object
    }

    private func createRevision(
        _ draft: DeploymentDraft,
        after last: DeploymentRecord?,
        owner: String,
        at now: Date
    ) async throws -> DeploymentRecord {
        var version = (last?.deployment.version ?? 0) + 1
        while true {
            let record = DeploymentRecord(
                draft,
                version: version,
                after: last?.deployment.id,
                projectDirectory: nil,
                at: now
            )
            let object = try Revision(record).object(namespace: self.client.namespace, owner: owner)
            do {
                try await self.client.create(.controllerRevisions, object)
                return record
            } catch let error as KubernetesError where error.isConflict {
                let there = try await self.client.get(.controllerRevisions, object.name)
                if there?.owner != owner {
                    // Of an API of this name that was deleted, and whose history is about to go.
                    try await self.client.delete(.controllerRevisions, object.name)
                } else {
                    version += 1
                }
            }
        }
    }

    /// Where histories grow longer than they may, their oldest deployments go.
    private func forgetOldest(of api: APIName) async {
        guard let entry = self.entries[api], entry.records.count > Self.revisionLimit else { return }
        let gone = entry.records.dropLast(Self.revisionLimit)
        self.entries[api]?.records = entry.records.suffix(Self.revisionLimit)
        for record in gone {
            do {
                try await self.client.delete(.controllerRevisions, CortexNames.revision(api, record.deployment.version))
            } catch {
                self.logger.debug("an old revision stays", metadata: ["api": "\(api)", "error": "\(error)"])
            }
        }
    }

    package func wanted(_ api: APIName) -> DeploymentRecord? { self.entries[api]?.wanted }

    package func allWanted() -> [DeploymentRecord] {
        self.entries.values.compactMap(\.wanted).sorted { $0.deployment.spec.name < $1.deployment.spec.name }
    }

    package func fallback(for api: APIName) -> DeploymentRecord? {
        self.entries[api]?.records.dropLast().last { $0.outcome == .live }
    }

    package func history(of api: APIName, limit: Int) -> [DeploymentRecord] {
        (self.entries[api]?.records ?? []).suffix(limit).reversed()
    }

    package func remove(_ api: APIName, by token: String, at now: Date) async throws -> Bool {
        guard let entry = self.entries[api] else { return false }
        try await self.client.delete(entry.object.resource, api.description)
        self.entries[api] = nil
        self.seen[api] = nil
        self.expected[api] = nil
        return true
    }

    package func record(_ event: ProviderEvent, at now: Date) async throws {
        switch event.kind {
        case .live: try await self.settle(.live, version: event.version, of: event.api)
        case .failed: try await self.settle(.failed(reason: event.message), version: event.version, of: event.api)
        case .progress, .workerExited, .crashLoop, .scaled, .removed: break
        }
        self.append(event.kind.rawValue, event.message, api: event.api, version: event.version, at: now)
        await self.publish(event, at: now)
    }

    /// For `kubectl describe`; the cluster forgets it after an hour.
    private func publish(_ event: ProviderEvent, at now: Date) async {
        guard event.kind != .progress, event.kind != .removed, let object = self.entries[event.api]?.object.object
        else {
            return
        }
        let isWarning = [.failed, .crashLoop, .workerExited].contains(event.kind)
        let time = JSONValue.string(now.formatted(.iso8601))
        let note = KubernetesObject([
            "apiVersion": "v1", "kind": "Event",
            "metadata": [
                "name": .string("\(event.api).\(String(UInt64.random(in: .min ... .max), radix: 16))"),
                "namespace": .string(self.client.namespace),
            ],
            "involvedObject": [
                "apiVersion": .string(object.apiVersion), "kind": .string(object.kind), "name": .string(object.name),
                "namespace": .string(self.client.namespace), "uid": object.uid.map { .string($0) } ?? .null,
            ],
            "type": .string(isWarning ? "Warning" : "Normal"),
            "reason": .string(event.kind.reason),
            "message": .string("version \(event.version): \(event.message.prefix(900))"),
            "source": ["component": .string(CortexNames.operatorName)],
            "firstTimestamp": time, "lastTimestamp": time, "count": 1,
        ])
        do {
            try await self.client.create(.events, note)
        } catch {
            self.logger.debug("an event is not published", metadata: ["api": "\(event.api)", "error": "\(error)"])
        }
    }

    package func events(of api: APIName, after id: Int64, limit: Int) -> [EventRecord] {
        (self.entries[api]?.events ?? []).filter { $0.id > id }.suffix(limit)
    }

    package func setReplicas(_ count: Int, of api: APIName) {
        guard self.entries[api]?.replicas != count else { return }
        self.entries[api]?.replicas = count
        self.noteChange.yield(api)
    }

    package func replicas(of api: APIName) -> Int? { self.entries[api]?.replicas }

    package func save(_ autoscalers: [APIName: Autoscaler]) {
        for (api, autoscaler) in autoscalers where self.entries[api] != nil {
            self.entries[api]?.autoscaler = autoscaler
            // What sleeps has nothing to remember that is worth a write each minute.
            if self.entries[api]?.replicas != 0 { self.noteChange.yield(api) }
        }
    }

    package func autoscalers() -> [APIName: Autoscaler] { self.entries.compactMapValues(\.autoscaler) }

    /// Nodes keep environments, and pods come and go: nothing of them is kept here.
    package func environmentUses() -> EnvironmentUses { EnvironmentUses() }

    package func projectUses() -> ProjectUses {
        var uses = ProjectUses()
        for entry in self.entries.values {
            for record in entry.records {
                uses.kept.insert(record.deployment.project)
                let last = uses.lastDeployed[record.deployment.project] ?? .distantPast
                uses.lastDeployed[record.deployment.project] = max(last, record.createdAt)
            }
        }
        return uses
    }
}

extension ProviderEvent.Kind {
    /// As reasons of events are written.
    fileprivate var reason: String {
        switch self {
        case .progress: "Progress"
        case .live: "Live"
        case .failed: "Failed"
        case .workerExited: "ReplicaEnded"
        case .crashLoop: "CrashLoop"
        case .scaled: "Scaled"
        case .removed: "Removed"
        }
    }
}

extension ResourceSpec {
    /// Where the objects of its kind are.
    var resource: KubernetesResource { self.splitter == nil ? .realtimeAPIs : .trafficSplitters }
}

extension RealtimeAPI.Project {
    /// Where a project is kept, if that is this one.
    fileprivate func url(of hash: String) -> String? { self.hash == hash ? self.url : nil }
}
