import ArgumentParser
import CortexControlPlane

/// A command that has the operator change one API, and passes on what that says.
protocol APIChange: AsyncParsableCommand {
    /// The API's name.
    var api: String { get }
    var environment: EnvironmentOptions { get }
    var output: OutputOptions { get }

    /// Asks for the change; returns the answer.
    func change(by client: OperatorClient) async throws -> [String: String]
}

extension APIChange {
    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        do {
            let answer = try await self.change(by: client)
            if self.output.output == .json {
                try console.printJSON(answer)
            } else {
                console.print(answer["message"] ?? "")
            }
        } catch let refusal as OperatorClient.Refusal {
            guard refusal.response.code != "API_NOT_FOUND" else { throw try await client.notDeployed(self.api) }
            throw refusal.failure
        }
    }
}
