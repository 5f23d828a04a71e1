import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension KubernetesClient {
    /// The lines that a container has written, oldest first, as they come.
    ///
    /// - Parameters:
    ///   - tail: At most this many that are there already.
    ///   - isPrevious: Of the run of the container before this one.
    package func log(
        ofPod pod: String,
        container: String,
        tail: Int,
        follow: Bool,
        isPrevious: Bool = false,
        _ line: @escaping @Sendable (String) async -> Void
    ) async throws {
        var query = ["container": container, "tailLines": "\(tail)"]
        if follow { query["follow"] = "true" }
        if isPrevious { query["previous"] = "true" }
        let response = try await self.execute(
            .GET,
            KubernetesResource.pods.path(namespace: self.namespace, name: pod, subresource: "log"),
            query: query,
            deadline: follow ? .distantFuture : .now() + .minutes(1),
            "read the log of \(pod)"
        )
        var lines = LineBuffer()
        for try await chunk in response.body {
            for text in lines.take(chunk) { await line(text) }
        }
        if let last = lines.finish() { await line(last) }
    }
}
