import CortexSpec
import CortexTelemetry
import NIOCore

/// What `/readyz` says.
struct ReadinessReport: Sendable {
    let isReady: Bool
    private let obstacle: String?
    private let apis: [(api: APIName, readiness: UpstreamReadiness)]

    /// - Parameters:
    ///   - isWhole: A server is ready when some API can answer or none is deployed; one API, when it can.
    ///   - obstacle: Why the server as a whole is not.
    init(of routes: [Route], isWhole: Bool, obstacle: String?) async {
        var apis: [(api: APIName, readiness: UpstreamReadiness)] = []
        for route in routes { apis.append((route.api, await route.upstream.readiness())) }
        self.apis = apis
        self.obstacle = obstacle
        self.isReady = obstacle == nil && (isWhole && apis.isEmpty || apis.contains { $0.readiness.isReady })
    }

    /// Seconds until it may be ready: the least that any of the APIs says, and at least 1.
    var retryAfter: Int {
        let delays = self.apis.compactMap { api -> Duration? in
            guard case .notReady(_, let delay) = api.readiness else { return nil }
            return delay
        }
        guard let seconds = delays.min()?.components.seconds else { return 1 }
        return Int(min(seconds + 1, 60))
    }

    func json(isVerbose: Bool, requestID: String) -> String {
        var buffer = ByteBuffer()
        if self.isReady {
            buffer.writeStaticString("{\"ready\": true")
        } else {
            buffer.writeStaticString("{\"ready\": false, \"error\": ")
            buffer.writeJSON(self.reason)
            buffer.writeStaticString(", \"code\": \"NOT_READY\", \"request_id\": ")
            buffer.writeJSON(requestID)
        }
        if isVerbose {
            buffer.writeStaticString(", \"apis\": {")
            for (index, api) in self.apis.enumerated() {
                if index > 0 { buffer.writeStaticString(", ") }
                buffer.writeJSON(api.api.description)
                buffer.writeStaticString(": ")
                switch api.readiness {
                case .ready where self.obstacle != nil: buffer.writeJSON(self.reason)
                case .ready: buffer.writeJSON("ready")
                case .notReady(let reason, _): buffer.writeJSON(reason)
                }
            }
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}")
        return String(buffer: buffer)
    }

    private var reason: String {
        if let obstacle = self.obstacle { return obstacle }
        let reasons = self.apis.compactMap { api -> String? in
            guard case .notReady(let reason, _) = api.readiness else { return nil }
            return "\(api.api): \(reason)"
        }
        return reasons.joined(separator: "; ")
    }
}
