import CortexControlPlane
import CortexGateway
import CortexLocalProvider
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
            eventLoops: max(1, min(MachineCapacity.current().processors / 4, 4)),
            spoolDirectory: server.home.spool
        )
        configuration.maximumBodySize =
            try ServerVariable.bytes("CORTEX_MAX_BODY_SIZE", in: environment) ?? configuration.maximumBodySize
        configuration.bodyTimeout =
            try ServerVariable.duration("CORTEX_BODY_TIMEOUT", in: environment).map { TimeAmount($0) }
            ?? configuration.bodyTimeout
        configuration.headerTimeout =
            try ServerVariable.duration("CORTEX_HEADER_TIMEOUT", in: environment).map { TimeAmount($0) }
            ?? configuration.headerTimeout
        configuration.idleTimeout =
            try ServerVariable.duration("CORTEX_IDLE_TIMEOUT", in: environment).map { TimeAmount($0) }
            ?? configuration.idleTimeout
        configuration.drainDelay = server.drainDelay.map { TimeAmount($0) } ?? configuration.drainDelay
        configuration.drainGrace = server.drainGrace.map { TimeAmount($0) } ?? configuration.drainGrace
        return configuration
    }
}
