import AsyncHTTPClient
package import CortexSpec
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a replica what only it knows.
package struct ReplicaQuestion: Sendable {
    private let url: String

    /// - Parameter address: Of its pod.
    package init(address: String, port: Int, path: String) {
        self.url = "http://\(address.contains(":") ? "[\(address)]" : address):\(port)\(path)"
    }

    /// The JSON that it says with this status; nil where it says something else, or nothing at once.
    package func answer(_ status: UInt = 200) async -> JSONValue? {
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: self.url), timeout: .seconds(2))
            guard response.status.code == status else { return nil }
            let body = try await response.body.collect(upTo: 16 << 20)
            return try KubernetesJSON.value(of: body.readableBytesView)
        } catch {
            return nil
        }
    }
}
