/// The `networking` section: where an API answers, and the bounds of a request.
package struct NetworkingSpec: Hashable, Sendable, Codable {
    /// Begins with `/`, has no trailing one; `/<name>` by default.
    package var endpoint: String
    /// Of the original's local provider; without effect, since all APIs answer on one port.
    package var localPort: Int?
    /// Of the original on AWS; without effect here.
    package var apiGateway: APIGateway?
    /// From a request's arrival to the end of its answer, at most an hour.
    @DurationText package var timeout: Duration
    package var maxBodySize: ByteCount
    /// Origins that browsers may call from; `*` is any.
    package var allowedOrigins: [String]
    /// Where the keys that may call this API are kept; empty lets anyone call.
    package var apiKeys: [SecretReference]

    package init(
        endpoint: String,
        localPort: Int? = nil,
        apiGateway: APIGateway? = nil,
        timeout: Duration = .seconds(300),
        maxBodySize: ByteCount = .gibibytes(1),
        allowedOrigins: [String] = ["*"],
        apiKeys: [SecretReference] = []
    ) {
        self.endpoint = endpoint
        self.localPort = localPort
        self.apiGateway = apiGateway
        self.timeout = timeout
        self.maxBodySize = maxBodySize
        self.allowedOrigins = allowedOrigins
        self.apiKeys = apiKeys
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let endpoint = try fields.decode(String.self, forKey: .endpoint)
        let standard = Self(endpoint: endpoint)
        self.init(
            endpoint: endpoint,
            localPort: try fields.decodeIfPresent(Int.self, forKey: .localPort),
            apiGateway: try fields.decodeIfPresent(APIGateway.self, forKey: .apiGateway),
            timeout: try fields.decode(.timeout, or: standard.timeout),
            maxBodySize: try fields.decode(.maxBodySize, or: standard.maxBodySize),
            allowedOrigins: try fields.decode(.allowedOrigins, or: standard.allowedOrigins),
            apiKeys: try fields.decode(.apiKeys, or: standard.apiKeys)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case endpoint, timeout
        case localPort = "local_port"
        case apiGateway = "api_gateway"
        case maxBodySize = "max_body_size"
        case allowedOrigins = "allow_origins"
        case apiKeys = "api_keys"
    }
}

/// Whether the original puts an AWS API Gateway before an API.
package enum APIGateway: String, Hashable, Sendable, Codable, CaseIterable {
    case `public`, none
}

/// Where a secret is to be read from, so that none stands in a file that is shared.
package enum SecretReference: Hashable, Sendable, Codable {
    /// The value of an environment variable of the server.
    case environment(String)
    /// The content of a file on the server's machine.
    case file(String)
}
