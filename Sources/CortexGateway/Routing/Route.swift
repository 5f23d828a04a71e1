package import CortexSpec
package import NIOCore

/// An API as the gateway knows it.
package struct Route: Sendable {
    package var api: APIName
    /// The version that answers, for the access log.
    package var version: Int
    /// Begins with `/`, has no trailing one.
    package var endpoint: String
    package var upstream: any Upstream
    /// How long a request may take from its arrival.
    package var timeout: Duration
    /// Bytes; nil leaves it to the server's own bound, which holds in any case.
    package var maximumBodySize: Int?
    /// Which web pages may call it.
    package var cors: CORSPolicy
    /// Which keys may call it; nil where none is needed.
    package var keys: APIKeys?
    /// Makes the answer to `GET`, as JSON; never waits for a prediction.
    package var summary: @Sendable () async -> ByteBuffer

    package init(
        api: APIName,
        version: Int,
        endpoint: String,
        upstream: any Upstream,
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
        self.timeout = timeout
        self.maximumBodySize = maximumBodySize
        self.cors = cors
        self.keys = keys
        self.summary = summary
    }
}
