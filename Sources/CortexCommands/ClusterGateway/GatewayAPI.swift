import CortexKubernetes
import CortexSpec
import NIOCore

/// An API as a gateway of a cluster has to know it.
struct GatewayAPI: Hashable, Sendable {
    var name: APIName
    var route: RouteStatus
    /// Its replicas that serve.
    var replicas: [SocketAddress]
}
