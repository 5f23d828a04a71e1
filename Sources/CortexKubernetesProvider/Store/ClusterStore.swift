import CortexControlPlane
package import CortexKubernetes
package import CortexSpec
import Foundation
package import Logging

/// What the control plane must not forget, in the objects of the cluster: a `RealtimeAPI` for each API, and a
/// `ControllerRevision` for each of its deployments.
///
/// One process writes at a time (it holds the lease): what it knows is what there is, and each change is written before it
/// is known. Events, which are a diary and no more, are written with the status a moment later.
package actor ClusterStore {
    /// Deployments that are kept of one API.
    static let revisionLimit = 50
    /// Events that are kept of one API.
    static let eventLimit = 50

    /// One API.
    struct Entry {
        /// As it was last read or written.
        var object: RealtimeAPI
        /// From the oldest on; never empty.
        var records: [DeploymentRecord]
        var events: [EventRecord] = []
        var replicas: Int?
        var autoscaler: Autoscaler?

        var wanted: DeploymentRecord? { self.records.last }
    }

    let client: KubernetesClient
    let logger: Logger
    var entries: [APIName: Entry] = [:]
    /// What this process writes, or wrote last, of each object: so that it does not take its own words for another's.
    var expected: [APIName: RealtimeAPI.Spec] = [:]
    /// As watches saw the objects last.
    var seen: [APIName: RealtimeAPI] = [:]
    /// Up to which generation the objects have been answered for.
    var answered: [APIName: Answered] = [:]

    struct Answered: Hashable {
        var uid: String?
        var generation: Int
    }

    /// APIs whose status has to be written anew.
    package nonisolated let changes: AsyncStream<APIName>
    let noteChange: AsyncStream<APIName>.Continuation

    package init(client: KubernetesClient, logger: Logger) {
        self.client = client
        self.logger = logger
        (self.changes, self.noteChange) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Reads all that there is; to be called once, by the process that leads.
    package func load() async throws {
        var objects = try await self.client.list(.realtimeAPIs).objects
        objects += try await self.client.list(.trafficSplitters).objects
        let (revisions, _) = try await self.client.list(.controllerRevisions, labels: CortexNames.labels(.replica))
        let byOwner = Dictionary(grouping: revisions) { $0.owner ?? "" }
        for object in objects where !object.isBeingDeleted {
            let api = RealtimeAPI(object)
            guard let name = api.name, let uid = object.uid else { continue }
            let records = (byOwner[uid] ?? []).compactMap { Revision($0)?.record }
                .sorted { $0.deployment.version < $1.deployment.version }
            // Without any, somebody else has made it, and its first deployment is still to come.
            guard !records.isEmpty else { continue }
            let status = object["status"]
            let events = status?["events"].flatMap { try? $0.decoded(as: [EventRecord].self) } ?? []
            self.entries[name] = Entry(
                object: api,
                records: records,
                events: events,
                replicas: status?["replicas"]?["requested"]?.int,
                autoscaler: status?["autoscaler"]?.string.flatMap { Self.autoscaler($0) }
            )
        }
    }

    private static func autoscaler(_ text: String) -> Autoscaler? {
        try? StateJSON.decoder().decode(Autoscaler.self, from: Data(text.utf8))
    }

    // MARK: What the provider needs

    /// The object of an API as it was last read or written; nil where it is not deployed.
    func object(of api: APIName) -> RealtimeAPI? { self.entries[api]?.object }

    /// Takes note of an object that was changed, by whomever.
    func saw(_ object: RealtimeAPI) {
        if let name = object.name { self.seen[name] = object }
        guard let name = object.name, self.entries[name]?.object.object.uid == object.object.uid else { return }
        self.entries[name]?.object = object
    }

    /// Whether an object asks for something that no deployment was made from.
    func isNews(_ object: RealtimeAPI, _ spec: RealtimeAPI.Spec) -> Bool {
        guard let name = object.name else { return false }
        if let known = self.answered[name], known.uid == object.object.uid,
            object.object.generation ?? 0 <= known.generation
        {
            return false
        }
        if let expected = self.expected[name], expected.asksFor(spec) { return false }
        guard let record = self.entries[name]?.wanted, self.entries[name]?.object.object.uid == object.object.uid else {
            return true
        }
        return !record.answers(spec)
    }

    /// What the status of an API holds beside what is seen of it.
    func diary(of api: APIName) -> (events: [EventRecord], autoscaler: String?)? {
        guard let entry = self.entries[api] else { return nil }
        let autoscaler = entry.autoscaler.flatMap { try? StateJSON.encoder().encode($0) }
        return (entry.events, autoscaler.map { String(decoding: $0, as: UTF8.self) })
    }

    func append(_ kind: String, _ message: String, api: APIName, version: Int, at now: Date) {
        guard var entry = self.entries[api] else { return }
        let id = (entry.events.last?.id ?? 0) + 1
        entry.events.append(
            EventRecord(id: id, at: now, api: api, version: version, kind: kind, message: String(message.prefix(4096)))
        )
        entry.events.removeFirst(max(0, entry.events.count - Self.eventLimit))
        self.entries[api] = entry
        self.noteChange.yield(api)
    }

    /// Writes down what became of a deployment.
    func settle(_ outcome: DeploymentOutcome, version: Int, of api: APIName) async throws {
        guard let index = self.entries[api]?.records.firstIndex(where: { $0.deployment.version == version }) else {
            return
        }
        guard let old = self.entries[api]?.records[index].outcome, old != .superseded, old != outcome else { return }
        let annotations = Revision.annotations(of: outcome)
        try await self.client.patch(
            .controllerRevisions,
            CortexNames.revision(api, version),
            ["metadata": ["annotations": .object(annotations)]]
        )
        // The actor was free meanwhile.
        guard let index = self.entries[api]?.records.firstIndex(where: { $0.deployment.version == version }) else {
            return
        }
        self.entries[api]?.records[index].outcome = outcome
    }
}

extension DeploymentRecord {
    /// Whether this is the deployment that `spec` asks for.
    fileprivate func answers(_ spec: RealtimeAPI.Spec) -> Bool {
        let name = self.deployment.spec.name.description
        return spec.project.map { $0.hash == self.identity.project } != false
            && (spec.refresh ?? 0) <= self.deployment.generation
            && ConfigEntry.json(of: name, in: self.config)?.comparable == spec.config.comparable
    }
}

extension RealtimeAPI.Spec {
    /// Whether nothing differs that counts.
    func asksFor(_ other: Self) -> Bool {
        self.config.comparable == other.config.comparable && self.project?.hash == other.project?.hash
            && (self.refresh ?? 0) == (other.refresh ?? 0)
    }
}

extension JSONValue {
    /// Without what a way through an API server may change: `1.0` for `1`, and members that are null.
    fileprivate var comparable: JSONValue {
        switch self {
        case .double(let value): Int64(exactly: value).map { .int($0) } ?? self
        case .array(let values): .array(values.map(\.comparable))
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues(\.comparable))
        case .null, .bool, .int, .string: self
        }
    }
}

extension KubernetesObject {
    /// The uid of what takes it along when it goes.
    var owner: String? {
        self["metadata", "ownerReferences"]?.array?.first { $0["controller"]?.bool == true }?["uid"]?.string
    }
}
