import CortexGateway
import CortexKubernetes
import CortexLocalProvider
import CortexNetwork
import CortexSpec
import Logging
import NIOCore

/// The APIs that a gateway of a cluster knows, each with its upstream: makes the routes follow what is told of them.
actor RouteBook {
    private struct Entry {
        var api: GatewayAPI
        let upstream: NetworkUpstream
        var keys: APIKeys?
        /// Why its keys could not be read the last time, so that it is told once.
        var keyFlaw: KeyReader.Flaw?
    }

    private let gateway: Gateway
    private let settings: NetworkSettings
    private let keyReader: KeyReader
    private let logger: Logger
    private let onWaiting: @Sendable () -> Void
    private var entries: [APIName: Entry] = [:]
    private var splits: [APIName: Split] = [:]

    private struct Split {
        var status: SplitRouteStatus
        /// Nil where anybody may call.
        var keys: APIKeys?
    }

    /// - Parameters:
    ///   - environment: Where the keys are that APIs name by `env`.
    ///   - onWaiting: Called when a request of some API waits and none did before.
    init(
        gateway: Gateway,
        settings: NetworkSettings,
        environment: [String: String],
        onWaiting: @escaping @Sendable () -> Void,
        logger: Logger
    ) {
        self.gateway = gateway
        self.settings = settings
        self.keyReader = KeyReader(environment: environment)
        self.onWaiting = onWaiting
        self.logger = logger
    }

    // MARK: What is told

    /// There are these, and no others.
    func set(all apis: [GatewayAPI]) async {
        let names = Set(apis.map(\.name))
        for name in self.entries.keys where !names.contains(name) { await self.remove(name) }
        for api in apis { await self.set(api) }
    }

    /// To be called for one after the other, since what was told last is to hold.
    func set(_ api: GatewayAPI) async {
        let former = self.entries[api.name]?.api
        guard former != api, let upstream = await self.upstream(of: api.name) else { return }
        self.entries[api.name, default: Entry(api: api, upstream: upstream)].api = api
        // Who is to wait has to be known before the last replica is gone, and the other way round.
        let standing = UpstreamStanding(isAsleep: api.route.isAsleep, replicaLimit: api.route.maxReplicaConcurrency)
        upstream.set(standing)
        if former?.replicas != api.replicas { upstream.set(replicas: api.replicas) }
        guard former?.route.version != api.route.version || former?.route.networking != api.route.networking else {
            return
        }
        await self.gateway.setRoute(self.route(to: api, upstream))
        self.logger.info(
            "route",
            metadata: [
                "api": "\(api.name)", "version": "\(api.route.version)", "endpoint": "\(api.route.networking.endpoint)",
                "replicas": "\(api.replicas.count)",
            ]
        )
    }

    func remove(_ name: APIName) async {
        guard let entry = self.entries.removeValue(forKey: name) else { return }
        await self.gateway.removeRoute(name)
        entry.upstream.close()
        self.logger.info("route removed", metadata: ["api": "\(name)"])
    }

    /// - Parameter status: Nil where the operator has not said anything yet, or there is no such splitter any more.
    func set(_ status: SplitRouteStatus?, ofSplitter name: APIName) async {
        guard let status else {
            guard self.splits.removeValue(forKey: name) != nil else { return }
            return await self.gateway.removeRoute(name)
        }
        guard self.splits[name]?.status != status else { return }
        let networking = status.spec.networking
        self.splits[name] = Split(status: status, keys: self.splitterKeys(name, networking.apiKeys))
        let split = TrafficSplit(status.spec)
        let gateway = self.gateway
        await gateway.setRoute(
            Route(
                api: name,
                version: status.version,
                endpoint: networking.endpoint,
                upstream: SplitUpstream(split) { await gateway.readiness(of: $0) },
                split: split,
                cors: CORSPolicy(allowedOrigins: networking.allowedOrigins),
                keys: self.splits[name]?.keys,
                summary: { ReplicaSummary.standard }
            )
        )
    }

    private func splitterKeys(_ name: APIName, _ references: [SecretReference]) -> APIKeys? {
        guard !references.isEmpty else { return nil }
        do throws(KeyReader.Flaw) {
            return APIKeys(try self.keyReader.keys(at: references))
        } catch {
            self.logger.error(
                "nobody is let in",
                metadata: ["splitter": "\(name)", "reason": "networking.api_keys \(error.message)"]
            )
            return APIKeys(nil)
        }
    }

    func note(_ message: Logger.Message, _ reason: String) {
        self.logger.warning(message, metadata: ["reason": "\(reason)"])
    }

    private func upstream(of name: APIName) async -> NetworkUpstream? {
        if let known = self.entries[name]?.upstream { return known }
        return try? await NetworkUpstream(
            api: name,
            eventLoops: self.gateway.group,
            settings: self.settings,
            onWaiting: self.onWaiting
        )
    }

    private func route(to api: GatewayAPI, _ upstream: NetworkUpstream) -> Route {
        let networking = api.route.networking
        return Route(
            api: api.name,
            version: api.route.version,
            endpoint: networking.endpoint,
            upstream: upstream,
            timeout: networking.timeout,
            maximumBodySize: Int(networking.maxBodySize.bytes),
            cors: CORSPolicy(allowedOrigins: networking.allowedOrigins),
            keys: self.keys(of: api),
            summary: { await ReplicaSummary.text(of: api.name, upstream) }
        )
    }

    // MARK: Keys

    /// What requests are checked against; nil where anybody may call.
    private func keys(of api: GatewayAPI) -> APIKeys? {
        let references = api.route.networking.apiKeys
        guard !references.isEmpty else {
            self.entries[api.name]?.keys = nil
            return nil
        }
        let keys: APIKeys
        do throws(KeyReader.Flaw) {
            keys = APIKeys(try self.keyReader.keys(at: references))
        } catch {
            // Open to everybody is the one thing that it must not become.
            keys = APIKeys(nil)
            self.tell(error, of: api.name, "nobody is let in")
        }
        self.entries[api.name]?.keys = keys
        return keys
    }

    /// Reads keys once more, for what has changed in their files, until the task is cancelled.
    func watchKeys() async {
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            for (name, entry) in self.entries {
                guard let keys = entry.keys else { continue }
                do throws(KeyReader.Flaw) {
                    let isNew = keys.replace(with: try self.keyReader.keys(at: entry.api.route.networking.apiKeys))
                    self.entries[name]?.keyFlaw = nil
                    if isNew { self.logger.info("the keys have changed", metadata: ["api": "\(name)"]) }
                } catch {
                    if error != entry.keyFlaw { self.tell(error, of: name, "its keys stay as they were") }
                }
            }
        }
    }

    private func tell(_ flaw: KeyReader.Flaw, of name: APIName, _ message: Logger.Message) {
        self.entries[name]?.keyFlaw = flaw
        self.logger.error(message, metadata: ["api": "\(name)", "reason": "networking.api_keys \(flaw.message)"])
    }

    // MARK: Seen from outside

    /// What each API bears.
    func loads() -> [Load] {
        self.entries.sorted { $0.key < $1.key }.map { name, entry in
            let load = entry.upstream.load
            return Load(
                api: name,
                inFlight: load.inFlight,
                waiting: load.waiting,
                received: load.received,
                retries: entry.upstream.retries,
                replicas: entry.upstream.replicaCount
            )
        }
    }

    /// What one API bears.
    struct Load: Sendable {
        var api: APIName
        /// Those that wait included.
        var inFlight: Int
        var waiting: Int
        var received: UInt64
        /// How often a request came back from a replica where it was not started.
        var retries: UInt64
        var replicas: Int
    }
}
