import CortexKubernetes
import Foundation

/// Where the operator of an environment is.
enum OperatorPlace: Hashable, Sendable, CustomStringConvertible {
    /// At an address that this machine reaches.
    case endpoint(OperatorEndpoint)
    /// In a cluster, through its API server.
    case cluster(ClusterLocation)

    var description: String {
        switch self {
        case .endpoint(let endpoint): "\(endpoint)"
        case .cluster(let location): location.description
        }
    }

    /// Nil where it has no address of its own.
    var endpoint: OperatorEndpoint? { if case .endpoint(let endpoint) = self { endpoint } else { nil } }

    /// Nil where it is not in a cluster that kubectl reaches.
    var cluster: ClusterLocation? { if case .cluster(let location) = self { location } else { nil } }
}

extension ClusterLocation {
    /// A way to a Service of the installation, for as long as this process lives.
    func forward(_ service: String, port: Int, console: Console = .standard) async throws -> ForwardedService {
        let kubectl = try Kubectl(self)
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        progress.show("connecting to \(service) (\(self.description))")
        do {
            return try await progress.show {
                try await ForwardedService(kubectl, service: service, port: port)
            }
        } catch let failure as KubectlFailure where failure.cause == .notFound {
            throw CommandFailure(
                "there is no Cortex in the \(self.description): \(failure)",
                hint: "install it there: cortex cluster up --context \(self.context) --namespace \(self.namespace)"
            )
        } catch let failure as KubectlFailure {
            throw failure.failure(of: kubectl)
        }
    }

    /// Whether an API's address is one that only pods of the cluster reach.
    func isInside(_ url: String) -> Bool {
        URLComponents(string: url)?.host == "\(CortexNames.gatewayName).\(self.namespace)"
    }
}
