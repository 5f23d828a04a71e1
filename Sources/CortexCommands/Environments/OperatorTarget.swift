import CortexControlPlane

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

    /// A connection; tells in words where nobody answers, or a server of another version does.
    func connect() async throws -> OperatorClient {
        switch self {
        case .local(let environment): try await environment.connect()
        case .remote(let entry): try await entry.connect()
        }
    }
}

extension EnvironmentFile.Entry {
    /// A connection to the operator, which must answer.
    func connect() async throws -> OperatorClient {
        let client = OperatorClient(baseURL: "\(self.endpoint)", token: self.token)
        let version: String
        do {
            version = try await client.info().version
        } catch let refusal as OperatorClient.Refusal where refusal.status == 401 {
            throw CommandFailure(
                "the operator at \(self.endpoint) does not know the token of the environment \(self.name)",
                hint: "get another (cortex token create NAME, on its machine), then: cortex env configure \(self.name)"
            )
        } catch let refusal as OperatorClient.Refusal {
            throw CommandFailure(
                "the operator at \(self.endpoint) refused: \(refusal)",
                hint: refusal.response.hint
            )
        } catch is DecodingError {
            throw CommandFailure(
                "\(self.endpoint) answers, and is no cortex operator",
                hint: "correct the address: cortex env configure \(self.name) --operator-endpoint URL"
            )
        } catch {
            throw CommandFailure(
                "cannot reach the operator at \(self.endpoint) (environment \(self.name)): \(ConnectionFailure(error))",
                hint: "is it up, and the address right? cortex env list"
            )
        }
        guard version == CortexVersion.current else {
            throw CommandFailure(
                "the server of the environment \(self.name) is cortex \(version), and this is cortex "
                    + CortexVersion.current,
                hint: "use cortex \(version) with it, or bring the server to \(CortexVersion.current)"
            )
        }
        return client
    }
}
