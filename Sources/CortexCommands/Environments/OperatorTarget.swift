import CortexControlPlane
import CortexKubernetes
import Foundation

/// The operator that a command is for.
enum OperatorTarget: Sendable {
    /// The server of this machine.
    case local(LocalEnvironment)
    /// A server elsewhere.
    case remote(EnvironmentFile.Entry)

    var name: EnvironmentName {
        switch self {
        case .local: .local
        case .remote(let entry): entry.name
        }
    }

    /// Whether its server sees the files of this machine.
    var isLocal: Bool {
        if case .local = self { true } else { false }
    }

    /// Nil where it is not in a cluster that kubectl reaches.
    var cluster: ClusterLocation? {
        if case .remote(let entry) = self { entry.place.cluster } else { nil }
    }

    /// A connection; tells in words where nobody answers, or a server of another version does.
    func connect() async throws -> OperatorClient {
        switch self {
        case .local(let environment): try await environment.connect()
        case .remote(let entry): try await entry.connect()
        }
    }
}

extension OperatorTarget {
    /// Where this machine reaches an API whose address an operator has told; of a cluster's, through its API server.
    func reachable(_ endpoint: String) async throws -> String {
        guard case .remote(let entry) = self, let location = entry.place.cluster, location.isInside(endpoint),
            var url = URLComponents(string: endpoint)
        else { return endpoint }
        let way = try await location.forward(CortexNames.gatewayName, port: CortexNames.dataPort)
        url.scheme = "http"
        url.host = "127.0.0.1"
        url.port = way.port
        return url.string ?? endpoint
    }
}

extension EnvironmentFile.Entry {
    /// A connection to the operator, which must answer.
    func connect() async throws -> OperatorClient {
        let client = try await self.client()
        let version = try await self.version(client)
        guard version == CortexVersion.current else {
            throw CommandFailure(
                "the server of the environment \(self.name) is cortex \(version), and this is cortex "
                    + CortexVersion.current,
                hint: "use cortex \(version) with it, or bring the server to \(CortexVersion.current)"
                    + (self.place.cluster == nil ? "" : ": cortex cluster up --env \(self.name) --image NAME")
            )
        }
        return client
    }

    /// The way to the operator, whether or not it answers.
    func client() async throws -> OperatorClient {
        switch self.place {
        case .endpoint(let endpoint): return OperatorClient(baseURL: "\(endpoint)", token: self.token)
        case .cluster(let location):
            let way = try await location.forward(CortexNames.operatorName, port: CortexNames.adminPort)
            return OperatorClient(way: way, token: self.token)
        }
    }

    /// How long an operator that has just been started, or is not in charge yet, is waited for.
    private static let patience = Duration.seconds(20)

    /// The version of the operator; in words where it does not answer, or does not know us.
    func version(_ client: OperatorClient) async throws -> String {
        do {
            return try await self.startedVersion(client)
        } catch let refusal as OperatorClient.Refusal where refusal.status == 401 {
            throw CommandFailure(
                "the operator at \(self.place) does not know the token of the environment \(self.name)",
                hint: self.place.cluster == nil
                    ? "get another (cortex token create NAME, on its machine), then: cortex env configure \(self.name)"
                    : "make another: cortex cluster up --env \(self.name)"
            )
        } catch let refusal as OperatorClient.Refusal {
            throw CommandFailure(
                "the operator at \(self.place) refused: \(refusal)",
                hint: refusal.response.hint
            )
        } catch is DecodingError {
            throw CommandFailure(
                "\(self.place) answers, and is no cortex operator",
                hint: self.place.cluster == nil
                    ? "correct the address: cortex env configure \(self.name) --operator-endpoint URL" : nil
            )
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                "cannot reach the operator at \(self.place) (environment \(self.name)): \(ConnectionFailure(error))",
                hint: self.place.cluster.map { "is it up? \($0.kubectl) get pods" }
                    ?? "is it up, and the address right? cortex env list"
            )
        }
    }

    private func startedVersion(_ client: OperatorClient) async throws -> String {
        var progress = ProgressLine(console: .standard)
        defer { progress.clear() }
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await client.info().version
            } catch let refusal as OperatorClient.Refusal
                where refusal.status == 503 && self.place.cluster != nil && ContinuousClock.now < deadline
            {
                progress.show("waiting for the operator: \(refusal)")
                try await progress.show { try await Task.sleep(for: .milliseconds(300)) }
            }
        }
    }
}
