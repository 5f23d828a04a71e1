import CortexKubernetes
import CortexSpec
import NIOCore

/// Replicas of an API that serve, as one object of the cluster tells: an `EndpointSlice`, or `Endpoints`.
struct ReplicaSlice: Hashable, Sendable {
    let api: APIName
    let addresses: [SocketAddress]

    /// Nil where it is of no API.
    init?(_ object: KubernetesObject) {
        guard let api = object.labels[CortexNames.Label.api].flatMap({ APIName($0) }) else { return nil }
        self.api = api
        self.addresses = object["subsets"] == nil ? Self.ofSlice(object) : Self.ofEndpoints(object)
    }

    private static func ofSlice(_ object: KubernetesObject) -> [SocketAddress] {
        guard let port = Self.port(object["ports"]) else { return [] }
        return (object["endpoints"]?.array ?? []).flatMap { endpoint -> [SocketAddress] in
            // What is not said is taken for ready.
            guard endpoint["conditions"]?["ready"]?.bool != false else { return [] }
            // Each endpoint is one pod, whatever addresses it has.
            return Self.addresses(endpoint["addresses"]?.array?.prefix(1).compactMap(\.string) ?? [], port)
        }
    }

    private static func ofEndpoints(_ object: KubernetesObject) -> [SocketAddress] {
        (object["subsets"]?.array ?? []).flatMap { subset -> [SocketAddress] in
            guard let port = Self.port(subset["ports"]) else { return [] }
            return Self.addresses(subset["addresses"]?.array?.compactMap { $0["ip"]?.string } ?? [], port)
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
