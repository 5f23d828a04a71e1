import CortexControlPlane
import CortexGateway
import CortexSpec
import Foundation
import NIOCore

/// The gateway's bounds as the environment sets them, until they are flags and keys of `cortex.yaml`.
enum GatewayLimits {
    static func configuration(
        _ server: ServerConfiguration,
        environment: [String: String]
    ) throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration(
            host: server.host,
            port: server.port,
            // One loop carries tens of thousands of requests a second; more of them pay only beside many workers.
            eventLoops: max(1, min(ProcessInfo.processInfo.activeProcessorCount / 4, 4)),
            spoolDirectory: server.home.spool
        )
        configuration.maximumBodySize =
            try self.bytes("CORTEX_MAX_BODY_SIZE", in: environment) ?? configuration.maximumBodySize
        configuration.bodyTimeout =
            try self.duration("CORTEX_BODY_TIMEOUT", in: environment) ?? configuration.bodyTimeout
        configuration.headerTimeout =
            try self.duration("CORTEX_HEADER_TIMEOUT", in: environment) ?? configuration.headerTimeout
        configuration.idleTimeout =
            try self.duration("CORTEX_IDLE_TIMEOUT", in: environment) ?? configuration.idleTimeout
        return configuration
    }

    private static func bytes(_ name: String, in environment: [String: String]) throws -> Int? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let count = ByteCount(quantity: text), count.bytes > 0 else {
            throw CommandFailure(
                "\(name) is \"\(text)\"; allowed is a number of bytes above 0, such as 64Mi",
                exitCode: 2
            )
        }
        return Int(count.bytes)
    }

    private static func duration(_ name: String, in environment: [String: String]) throws -> TimeAmount? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let duration = Duration(goText: text), duration > .zero else {
            throw CommandFailure("\(name) is \"\(text)\"; allowed is a duration above 0, such as 30s", exitCode: 2)
        }
        return TimeAmount(duration)
    }
}
