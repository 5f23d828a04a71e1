import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The HTTP client of an API server; another takes its place when the file with the server's authority has changed.
final class Transport: Sendable {
    private struct State {
        var client: HTTPClient
        var authority: Data?
        var checkedAt: NIODeadline
        /// Those before it, which still have requests.
        var retired: [HTTPClient] = []
    }

    private let file: String?
    private let logger: Logger
    private let state: Mutex<State>

    init(certificateAuthorityFile file: String?, logger: Logger) throws {
        self.file = file
        self.logger = logger
        let authority = file.flatMap { FileManager.default.contents(atPath: $0) }
        if let file, authority == nil {
            throw KubernetesConfigurationError.unreadable(file: file, reason: String(cString: strerror(errno)))
        }
        self.state = Mutex(
            State(client: try Self.client(authority), authority: authority, checkedAt: .now())
        )
    }

    /// To be asked for each request.
    func client(now: NIODeadline = .now()) -> HTTPClient {
        self.state.withLock { state in
            guard let file = self.file, now - state.checkedAt > .minutes(1) else { return state.client }
            state.checkedAt = now
            guard let authority = FileManager.default.contents(atPath: file), authority != state.authority,
                let client = try? Self.client(authority)
            else { return state.client }
            state.retired.append(state.client)
            state.client = client
            state.authority = authority
            return client
        }
    }

    func shutdown() async {
        let clients = self.state.withLock { $0.retired + [$0.client] }
        for client in clients {
            do {
                try await client.shutdown()
            } catch {
                self.logger.debug("the client of the API server did not end", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func client(_ authority: Data?) throws -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        // A watch has its connection for itself, and one that hangs holds up no other.
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        configuration.connectionPool.retryConnectionEstablishment = false
        if let authority {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority)))
            configuration.tlsConfiguration = tls
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
