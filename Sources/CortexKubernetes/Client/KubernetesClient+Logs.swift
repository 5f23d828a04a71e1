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

/// Cuts bytes into lines.
struct LineBuffer {
    private var rest = ByteBuffer()

    /// The lines that are whole now, without their ends.
    mutating func take(_ chunk: ByteBuffer) -> [String] {
        var chunk = chunk
        self.rest.writeBuffer(&chunk)
        var lines: [String] = []
        while let end = self.rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - self.rest.readerIndex
            lines.append(self.rest.readString(length: length) ?? "")
            self.rest.moveReaderIndex(forwardBy: 1)
        }
        self.rest.discardReadBytes()
        return lines
    }

    /// What stands after the last end of a line.
    mutating func finish() -> String? {
        guard self.rest.readableBytes > 0 else { return nil }
        return self.rest.readString(length: self.rest.readableBytes)
    }
}
