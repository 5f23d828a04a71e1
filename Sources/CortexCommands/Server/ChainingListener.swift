import CortexGateway
import Logging
import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Opens the port where this server's own workers find other APIs: `http://api-NAME:8888/predict`.
struct ChainingListener {
    let gateway: Gateway
    let configuration: ServerConfiguration
    /// The data port, as it was bound.
    let port: Int
    let logger: Logger

    /// Loopback addresses, of which each server on a machine takes one: documents name port 8888, whatever `--port` is.
    private static let addresses = (1...254).map {
        WorkerAddress(host: "127.88.0.\($0)", port: WorkerAddress.usualPort)
    }

    /// Where workers find the gateway: at a port of their own, or, where there can be none, at that of all others.
    func open() async -> WorkerAddress {
        let shared = WorkerAddress(host: self.sharedHost, port: self.port)
        guard self.configuration.isChaining else { return shared }
        for address in Self.addresses {
            do {
                try await self.gateway.listen(forWorkersAt: address)
                return address
            } catch {
                // Only where another has taken it another may be free: macOS has none of them at all.
                guard (error as? IOError)?.errnoCode == EADDRINUSE else { break }
            }
        }
        if shared.port != WorkerAddress.usualPort {
            self.logger.notice(
                """
                port \(WorkerAddress.usualPort) cannot be had for calls between APIs: in clients that do not take a port from \
                Python's resolver, CORTEX_GATEWAY_URL stands for http://api-NAME:\(WorkerAddress.usualPort)
                """,
                metadata: ["address": "\(shared)"]
            )
        }
        return shared
    }

    /// Plain HTTP is on loopback alone where all others get HTTPS only.
    private var sharedHost: String {
        guard self.configuration.tls?.isOnly != true else { return "127.0.0.1" }
        return switch self.configuration.host {
        case "0.0.0.0", "": "127.0.0.1"
        case "::": "::1"
        case let host: host
        }
    }
}
