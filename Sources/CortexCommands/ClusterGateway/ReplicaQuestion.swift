import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks replicas whether they are ready, as the kubelet does.
///
/// A node that is not heard of for a while, since its kubelet or the API server was away, has all of its pods taken for not
/// ready; they may serve as ever.
enum ReplicaQuestion {
    /// How long a replica has to answer.
    private static let patience = TimeAmount.seconds(1)
    /// How many are asked at once.
    private static let limit = 64

    /// Those that say that they are.
    static func ready(of replicas: Set<SocketAddress>) async -> Set<SocketAddress> {
        await withTaskGroup(of: SocketAddress?.self) { group in
            var found: Set<SocketAddress> = []
            for (index, replica) in replicas.enumerated() {
                if index >= Self.limit, let answer = await group.next(), let answer { found.insert(answer) }
                group.addTask { await Self.isReady(replica) ? replica : nil }
            }
            for await answer in group { if let answer { found.insert(answer) } }
            return found
        }
    }

    private static func isReady(_ replica: SocketAddress) async -> Bool {
        guard let host = replica.ipAddress, let port = replica.port else { return false }
        let address = host.contains(":") ? "[\(host)]" : host
        let request = HTTPClientRequest(url: "http://\(address):\(port)/readyz")
        return (try? await OperatorClient.http.execute(request, timeout: Self.patience))?.status == .ok
    }
}
