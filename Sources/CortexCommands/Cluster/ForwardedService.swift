import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// A Service of a cluster as a port of this machine, opened again where the way is lost.
///
/// A way ends with the pod that it leads to, and with the API server that it leads through.
actor ForwardedService {
    private let kubectl: Kubectl
    private let target: String
    private let targetPort: Int
    /// Nil between the end of one and the beginning of the next.
    private var forward: PortForward?

    /// The same for as long as this lives.
    nonisolated let port: Int

    /// How long a lost way is sought again: an API server or an operator may be away for a minute.
    private static let patience = Duration.seconds(120)

    /// Opens the way.
    /// - Parameter kubectl: With its namespace.
    /// - Throws: ``KubectlFailure``.
    init(_ kubectl: Kubectl, service: String, port: Int) async throws {
        self.kubectl = kubectl
        self.target = "service/\(service)"
        self.targetPort = port
        let forward = try await PortForward.open(kubectl, target: self.target, port: port)
        self.forward = forward
        self.port = forward.port
    }

    /// Whether a request that failed may be sent again: it was not seen, or does nothing.
    nonisolated func mayRepeat(_ method: HTTPMethod, after error: any Error) -> Bool {
        switch method {
        case .GET, .HEAD: !(error is CancellationError)
        // The body of an upload can be sent once.
        case .PUT: false
        default: (error as? NIOConnectionError) != nil
        }
    }

    /// Opens the way again, and does what failed anew, until it succeeds or patience ends.
    func renewing<Value: Sendable>(
        after error: any Error,
        _ operation: @Sendable () async throws -> Value
    ) async throws -> Value {
        Console.standard.note("the way to the cluster is lost (\(ConnectionFailure(error))), opening it again")
        let deadline = ContinuousClock.now + Self.patience
        var pause = Duration.milliseconds(200)
        while true {
            do {
                try await self.renew()
                return try await operation()
            } catch is CancellationError {
                throw CancellationError()
            } catch let failure as KubectlFailure {
                guard ContinuousClock.now < deadline else { throw failure.failure(of: self.kubectl) }
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(2))
        }
    }

    /// Opens it again, on the same port.
    private func renew() async throws {
        await self.forward?.close()
        self.forward = nil
        self.forward = try await PortForward.open(
            self.kubectl,
            target: self.target,
            port: self.targetPort,
            local: self.port
        )
    }
}
