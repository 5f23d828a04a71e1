import CortexControlPlane
import CortexGateway
import CortexLocalProvider
import NIOCore

/// The gateway as the server's configuration has it.
enum GatewayLimits {
    static func configuration(
        _ server: ServerConfiguration,
        environment: [String: String]
    ) throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration(
            host: server.tls?.isOnly == true ? "127.0.0.1" : server.host,
            port: server.port,
            // One loop carries tens of thousands of requests a second; more of them pay only beside many workers.
            eventLoops: max(1, min(MachineCapacity.current().processors / 4, 4)),
            spoolDirectory: server.home.spool
        )
        server.limits.apply(to: &configuration)
        configuration.drainDelay = server.drainDelay.map { TimeAmount($0) } ?? configuration.drainDelay
        configuration.drainGrace = server.drainGrace.map { TimeAmount($0) } ?? configuration.drainGrace
        return configuration
    }
}
