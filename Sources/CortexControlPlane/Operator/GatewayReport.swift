package import CortexSpec

/// What a gateway of another machine tells the operator: `POST /v1/gateway/reports`.
package struct GatewayReport: Hashable, Sendable, Codable {
    /// What one API bears at this gateway.
    package struct Load: Hashable, Sendable, Codable {
        /// Requests that were taken in and not answered yet, those that wait among them.
        package var inFlight: Int
        /// Those that wait for a first replica.
        package var waiting: Int
        /// All that follow count from the gateway's start.
        package var received: UInt64
        package var code2xx: Int
        package var code4xx: Int
        package var code5xx: Int
        /// Of all that were answered, from arrival to answer.
        package var totalMilliseconds: Double

        package init(
            inFlight: Int = 0,
            waiting: Int = 0,
            received: UInt64 = 0,
            code2xx: Int = 0,
            code4xx: Int = 0,
            code5xx: Int = 0,
            totalMilliseconds: Double = 0
        ) {
            self.inFlight = inFlight
            self.waiting = waiting
            self.received = received
            self.code2xx = code2xx
            self.code4xx = code4xx
            self.code5xx = code5xx
            self.totalMilliseconds = totalMilliseconds
        }

        private enum CodingKeys: String, CodingKey {
            case waiting, received
            case inFlight = "in_flight"
            case code2xx = "code_2xx"
            case code4xx = "code_4xx"
            case code5xx = "code_5xx"
            case totalMilliseconds = "total_ms"
        }
    }

    /// The gateway, and when it was started: another start counts from nothing.
    package var gateway: String
    /// By name, and what splitters have led to APIs by ``key(_:_:isShadow:)``; what never had a request may be left out.
    package var apis: [String: Load]

    package init(gateway: String, apis: [String: Load]) {
        self.gateway = gateway
        self.apis = apis
    }
    /// No API's name: names have no strokes.
    /// - Parameter isShadow: Whether it is of the copies.
    package static func key(_ splitter: APIName, _ target: APIName, isShadow: Bool) -> String {
        "\(splitter)/\(target)" + (isShadow ? "/copies" : "")
    }
}
