import AsyncHTTPClient
import CortexSpec
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a replica why it is not ready.
package struct ReadinessQuestion: Sendable {
    private let url: String

    /// - Parameter url: Of its `/readyz`.
    package init(url: String) {
        self.url = url
    }

    /// Its own words; nil where it is ready, or does not answer at once.
    package func reason() async -> String? {
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: self.url), timeout: .seconds(1))
            guard response.status.code == 503 else { return nil }
            let body = try await response.body.collect(upTo: 1 << 16)
            let json = try KubernetesJSON.decoder.decode(JSONValue.self, from: Data(body.readableBytesView))
            return json["error"]?.string
        } catch {
            return nil
        }
    }
}
