import CortexKubernetes
import CortexSpec
import NIOCore

/// Replicas of an API that serve, as one object of the cluster tells: an `EndpointSlice`, or `Endpoints`.
struct ReplicaSlice: Hashable, Sendable {
    let api: APIName
    /// Of those that are ready, as far as the cluster knows.
    let addresses: [SocketAddress]
    /// Of those that are there and not ready, as far as the cluster knows.
    let unready: [SocketAddress]

    /// Nil where it is of no API.
    init?(_ object: KubernetesObject) {
        guard let api = object.labels[CortexNames.Label.api].flatMap({ APIName($0) }) else { return nil }
        self.api = api
        let isSlice = object["subsets"] == nil
        self.addresses = isSlice ? Self.ofSlice(object, isReady: true) : Self.ofEndpoints(object, "addresses")
        self.unready = isSlice ? Self.ofSlice(object, isReady: false) : Self.ofEndpoints(object, "notReadyAddresses")
    }

    private static func ofSlice(_ object: KubernetesObject, isReady: Bool) -> [SocketAddress] {
        guard let port = Self.port(object["ports"]) else { return [] }
        return (object["endpoints"]?.array ?? []).flatMap { endpoint -> [SocketAddress] in
            let conditions = endpoint["conditions"]
            // What is not said is taken for ready. One that ends is neither.
            guard (conditions?["ready"]?.bool != false) == isReady else { return [] }
            guard isReady || conditions?["terminating"]?.bool != true else { return [] }
            // Each endpoint is one pod, whatever addresses it has.
            return Self.addresses(endpoint["addresses"]?.array?.prefix(1).compactMap(\.string) ?? [], port)
        }
    }

    private static func ofEndpoints(_ object: KubernetesObject, _ list: String) -> [SocketAddress] {
        (object["subsets"]?.array ?? []).flatMap { subset -> [SocketAddress] in
            guard let port = Self.port(subset["ports"]) else { return [] }
            return Self.addresses(subset[list]?.array?.compactMap { $0["ip"]?.string } ?? [], port)
        }
    }

    /// The port of that name, or the only one.
    private static func port(_ ports: JSONValue?) -> Int? {
        let ports = ports?.array ?? []
        return (ports.first { $0["name"]?.string == "http" } ?? ports.first)?["port"]?.int
    }

    /// Names (`addressType: FQDN`) are passed over.
    private static func addresses(_ hosts: [String], _ port: Int) -> [SocketAddress] {
        hosts.compactMap { try? SocketAddress(ipAddress: $0, port: port) }
    }
}
