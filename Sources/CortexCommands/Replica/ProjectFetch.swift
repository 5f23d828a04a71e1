import AsyncHTTPClient
import CortexControlPlane
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Brings the project of a deployment into this pod's store.
struct ProjectFetch: Sendable {
    let url: String
    /// Nil where nobody is to be shown one.
    let token: String?
    let logger: Logger

    /// Tries in a row, each after twice the pause: an operator that is being replaced is back by then.
    private static let pauses = [1, 2, 4, 8, 16, 16, 16, 16].map { Duration.seconds($0) }

    /// - Parameter environment: `CORTEX_PROJECT_URL`, `CORTEX_OPERATOR_URL`, `CORTEX_INTERNAL_TOKEN`.
    init(of hash: ProjectHash, environment: [String: String], logger: Logger) {
        let operatorURL =
            ServerVariable.text("CORTEX_OPERATOR_URL", in: environment) ?? "http://cortex-operator:8889"
        self.url =
            ServerVariable.text("CORTEX_PROJECT_URL", in: environment) ?? "\(operatorURL)/v1/projects/\(hash)"
        let token = ServerVariable.text("CORTEX_INTERNAL_TOKEN", in: environment)
        // Whoever writes a project's URL into an API must not be told the token.
        self.token = Self.isSameOrigin(self.url, operatorURL) ? token : nil
        self.logger = logger
    }

    static func isSameOrigin(_ left: String, _ right: String) -> Bool {
        guard let left = URLComponents(string: left), let right = URLComponents(string: right) else { return false }
        return left.scheme?.lowercased() == right.scheme?.lowercased()
            && left.host?.lowercased() == right.host?.lowercased()
            && left.port == right.port && left.user == nil
    }

    /// - Throws: What is wrong, once it cannot be expected to pass.
    func fetch(_ hash: ProjectHash, into projects: ProjectStore) async throws {
        if try await projects.contains(hash) { return }
        var pauses = Self.pauses[...]
        while true {
            do {
                return try await self.fetchOnce(hash, into: projects)
            } catch let error as ProjectError {
                throw CommandFailure("the project at \(self.shownURL) is not the one that was deployed: \(error)")
            } catch let failure as Failure where !failure.mayPass {
                throw CommandFailure("the project cannot be fetched from \(self.shownURL): \(failure)")
            } catch {
                guard let pause = pauses.popFirst() else {
                    throw CommandFailure("the project cannot be fetched from \(self.shownURL): \(Self.text(error))")
                }
                self.logger.warning(
                    "the project cannot be fetched; it is tried again",
                    metadata: ["url": "\(self.shownURL)", "error": "\(Self.text(error))", "pause": "\(pause)"]
                )
                try await Task.sleep(for: pause)
            }
        }
    }

    /// An answer that is no project.
    struct Failure: Error, CustomStringConvertible {
        let status: Int
        var description: String { "the answer is \(self.status)" }
        /// The server's trouble, not the request's.
        var mayPass: Bool { self.status >= 500 || self.status == 429 || self.status == 408 }
    }

    private func fetchOnce(_ hash: ProjectHash, into projects: ProjectStore) async throws {
        var request = HTTPClientRequest(url: self.url)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response = try await OperatorClient.http.execute(request, timeout: .minutes(30))
        guard response.status == .ok else { throw Failure(status: Int(response.status.code)) }
        try await projects.store(hash, from: response.body)
    }

    /// Without what may be a secret in it.
    private var shownURL: String {
        guard var parts = URLComponents(string: self.url) else { return "its URL" }
        parts.user = nil
        parts.password = nil
        parts.query = nil
        return parts.string ?? "its URL"
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let failure as Failure: "\(failure)"
        default: "\(ConnectionFailure(error))"
        }
    }
}
