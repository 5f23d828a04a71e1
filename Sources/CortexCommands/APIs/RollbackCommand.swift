import ArgumentParser
import CortexControlPlane

/// `cortex rollback API [VERSION]`: what was deployed before, once more.
struct RollbackCommand: APIChange {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to an earlier deployment of an API, without a gap.",
        discussion: """
            Without a version it is the newest that has served and differs from the one that is wanted now. The old workers \
            answer until the new are ready. `cortex get API` lists the versions.

            Examples:
              cortex rollback iris
              cortex rollback iris 3
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Argument(help: "A version's number, or the id of a deployment.")
    var id: String?

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func change(by client: OperatorClient) async throws -> [String: String] {
        try await client.rollback(self.api, to: self.id)
    }
}
