import AsyncHTTPClient
import CortexNetwork
import CortexSpec
import NIOCore
import NIOHTTP1

/// The answer to `GET` on an API's endpoint: what one of its replicas says.
enum ReplicaSummary {
    private static let plain =
        #"{"message": "make a prediction by sending a POST request to this endpoint with a JSON payload"}"#

    /// Of what has no replicas of its own.
    static let standard = ByteBuffer(string: Self.plain)

    static func text(of api: APIName, _ upstream: NetworkUpstream) async -> ByteBuffer {
        // One that sleeps is not woken to be looked at.
        guard let replica = upstream.anyReplica, let host = replica.ipAddress, let port = replica.port else {
            return ByteBuffer(string: self.plain)
        }
        let address = host.contains(":") ? "[\(host)]" : host
        var request = HTTPClientRequest(url: "http://\(address):\(port)/")
        request.headers.replaceOrAdd(name: "Host", value: "api-\(api)")
        guard let response = try? await OperatorClient.http.execute(request, timeout: .seconds(5)),
            response.status == .ok, let body = try? await response.body.collect(upTo: 16 << 20)
        else { return ByteBuffer(string: self.plain) }
        return body
    }
}
