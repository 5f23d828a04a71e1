package import CortexSpec
package import NIOCore

/// An API as the gateway knows it; never changed, but replaced.
package final class Route: Sendable {
    package let api: APIName
    /// The version whose settings these are; for the access log where no version answered.
    package let version: Int
    /// Begins with `/`, has no trailing one.
    package let endpoint: String
    package let upstream: any Upstream
    /// Which APIs requests to it are led to; nil for an API, which answers them itself.
    package let split: TrafficSplit?
    /// How long a request may take from its arrival.
    package let timeout: Duration
    /// Bytes; nil leaves it to the server's own bound, which holds in any case.
    package let maximumBodySize: Int?
    /// Which web pages may call it.
    package let cors: CORSPolicy
    /// Which keys may call it; nil where none is needed.
    package let keys: APIKeys?
    /// Makes the answer to `GET`, as JSON; never waits for a prediction.
    package let summary: @Sendable () async -> ByteBuffer

    package init(
        api: APIName,
        version: Int,
        endpoint: String,
        upstream: any Upstream,
        split: TrafficSplit? = nil,
        timeout: Duration = .seconds(300),
        maximumBodySize: Int? = nil,
        cors: CORSPolicy = .any,
        keys: APIKeys? = nil,
        summary: @escaping @Sendable () async -> ByteBuffer
    ) {
        self.api = api
        self.version = version
        self.endpoint = endpoint
        self.upstream = upstream
        self.split = split
        self.timeout = timeout
        self.maximumBodySize = maximumBodySize
        self.cors = cors
        self.keys = keys
        self.summary = summary
    }
}
