import CortexControlPlane
import CortexGateway
import CortexKubernetes
import CortexSpec
import Logging
import NIOCore

/// Has a book of routes follow the cluster: its `RealtimeAPI`s, and where their replicas listen.
///
/// While the API server is away all stays as it was told last.
actor ClusterRoutes {
    private let client: KubernetesClient
    private let book: RouteBook
    private let logger: Logger
    /// Called once all have been listed.
    private let onListed: @Sendable () async -> Void
    private var routes: [APIName: RouteStatus] = [:]
    private var splitters: Set<APIName> = []
    /// By the name of the object that tells.
    private var slices: [String: ReplicaSlice] = [:]
    /// Replicas that say themselves that they are ready, of APIs none of which is for the cluster.
    private var vouched: [APIName: Set<SocketAddress>] = [:]
    private var listed: Set<String> = []
    private var lost: Set<String> = []
    /// What one watch tells is in the book before what the other tells is looked at: both say something of the same API.
    private let turns = TurnQueue()

    init(
        client: KubernetesClient,
        book: RouteBook,
        logger: Logger,
        onListed: @escaping @Sendable () async -> Void
    ) {
        self.client = client
        self.book = book
        self.logger = logger
        self.onListed = onListed
    }

    /// Runs until the task is cancelled.
    func run() async {
        let replicas = await self.replicaResource()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await KubernetesWatch(self.client, .realtimeAPIs).run { await self.receive(apis: $0) }
            }
            group.addTask {
                await KubernetesWatch(self.client, .trafficSplitters).run { await self.receive(splitters: $0) }
            }
            group.addTask {
                let labels = [CortexNames.Label.role: "replicas"]
                await KubernetesWatch(self.client, replicas, labels: labels).run { await self.receive(replicas: $0) }
            }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(1))) != nil { await self.askUnready() }
            }
        }
    }

    /// What tells of replicas in this cluster: slices of endpoints, or, before there were any, endpoints.
    private func replicaResource() async -> KubernetesResource {
        let slices = KubernetesResource.endpointSlices
        while !Task.isCancelled {
            do {
                let version = try await self.client.discover(group: slices.group, preferring: ["v1", "v1beta1"])
                return version.map { slices.at($0) } ?? .endpoints
            } catch {
                self.logger.warning("the API server cannot be asked", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
        return slices
    }

    // MARK: APIs

    private func receive(apis update: KubernetesUpdate) async {
        await self.turns.withTurn { await self.take(apis: update) }
    }

    private func take(apis update: KubernetesUpdate) async {
        switch update {
        case .all(let objects):
            let found = objects.compactMap { Self.route($0) }
            let names = Set(found.map(\.name))
            for name in self.routes.keys where !names.contains(name) { await self.set(nil, of: name) }
            for (name, route) in found { await self.set(route, of: name) }
            await self.note(listed: "APIs")
        case .set(let object):
            guard let name = APIName(object.name) else { return }
            await self.set(RealtimeAPI(object).route, of: name)
        case .removed(let object):
            guard let name = APIName(object.name) else { return }
            await self.set(nil, of: name)
        case .lost(let reason): self.note(lost: "APIs", reason)
        }
    }

    private static func route(_ object: KubernetesObject) -> (name: APIName, route: RouteStatus)? {
        let api = RealtimeAPI(object)
        guard let name = api.name, let route = api.route else { return nil }
        return (name, route)
    }

    /// - Parameter route: Nil where the operator has not said anything yet, or there is no such API any more.
    private func set(_ route: RouteStatus?, of name: APIName) async {
        self.routes[name] = route
        if let route {
            await self.book.set(GatewayAPI(name: name, route: route, replicas: self.replicas(of: name)))
        } else {
            await self.book.remove(name)
        }
    }

    // MARK: Splitters

    private func receive(splitters update: KubernetesUpdate) async {
        switch update {
        case .all(let objects):
            let names = Set(objects.map(\.name))
            for name in self.splitters where !names.contains(name.description) { await self.set(nil, ofSplitter: name) }
            for object in objects { await self.receive(splitters: .set(object)) }
            await self.note(listed: "splitters")
        case .set(let object):
            guard let name = APIName(object.name) else { return }
            await self.set(RealtimeAPI(object).split, ofSplitter: name)
        case .removed(let object):
            guard let name = APIName(object.name) else { return }
            await self.set(nil, ofSplitter: name)
        case .lost(let reason): self.note(lost: "splitters", reason)
        }
    }

    private func set(_ status: SplitRouteStatus?, ofSplitter name: APIName) async {
        if status == nil { self.splitters.remove(name) } else { self.splitters.insert(name) }
        await self.book.set(status, ofSplitter: name)
    }

    // MARK: Replicas

    private func receive(replicas update: KubernetesUpdate) async {
        await self.turns.withTurn { await self.take(replicas: update) }
    }

    private func take(replicas update: KubernetesUpdate) async {
        switch update {
        case .all(let objects):
            let known = Set(self.slices.values.map(\.api))
            self.slices = [:]
            for object in objects { self.slices[object.name] = ReplicaSlice(object) }
            for name in known.union(self.slices.values.map(\.api)) { await self.replicasChanged(of: name) }
            await self.note(listed: "replicas")
        case .set(let object):
            let former = self.slices[object.name]?.api
            self.slices[object.name] = ReplicaSlice(object)
            for name in Set([former, self.slices[object.name]?.api].compactMap(\.self)) {
                await self.replicasChanged(of: name)
            }
        case .removed(let object):
            guard let slice = self.slices.removeValue(forKey: object.name) else { return }
            await self.replicasChanged(of: slice.api)
        case .lost(let reason): self.note(lost: "replicas", reason)
        }
    }

    private func replicasChanged(of name: APIName) async {
        guard let route = self.routes[name] else { return }
        await self.book.set(GatewayAPI(name: name, route: route, replicas: self.replicas(of: name)))
    }

    private func replicas(of name: APIName) -> [SocketAddress] {
        let slices = self.slices.values.filter { $0.api == name }
        var addresses = Set(slices.flatMap(\.addresses))
        if addresses.isEmpty, let vouched = self.vouched[name] {
            addresses = vouched.intersection(slices.flatMap(\.unready))
        }
        // A pod of two families is one replica all the same.
        let preferred = addresses.filter { $0.protocol == .inet }
        return (preferred.isEmpty ? addresses : preferred).sorted { "\($0)" < "\($1)" }
    }

    /// Where the cluster takes no replica of an API for ready, their own word counts: a node that it does not hear of may serve.
    private func askUnready() async {
        var unready: [APIName: Set<SocketAddress>] = [:]
        for slice in self.slices.values { unready[slice.api, default: []].formUnion(slice.unready) }
        for slice in self.slices.values where !slice.addresses.isEmpty { unready[slice.api] = nil }
        let ready = await ReplicaQuestion.ready(of: unready.values.reduce(into: []) { $0.formUnion($1) })
        for name in Set(self.vouched.keys).union(unready.keys) {
            let found = unready[name]?.intersection(ready) ?? []
            guard found != self.vouched[name] ?? [] else { continue }
            self.vouched[name] = found.isEmpty ? nil : found
            if !found.isEmpty {
                self.logger.notice(
                    "the cluster takes no replica for ready; these are, by their own word",
                    metadata: ["api": "\(name)", "replicas": "\(found.count)"]
                )
            }
            await self.replicasChanged(of: name)
        }
    }

    // MARK: The API server

    private func note(listed what: String) async {
        if self.lost.remove(what) != nil { self.logger.notice("\(what) are followed again") }
        guard self.listed.insert(what).inserted, self.listed.count == 3 else { return }
        await self.onListed()
    }

    private func note(lost what: String, _ reason: String) {
        guard self.lost.insert(what).inserted else { return }
        self.logger.warning("\(what) stay as they were told last", metadata: ["error": "\(reason)"])
    }
}
