import ArgumentParser
import CortexControlPlane

/// `cortex refresh API`: new workers for what is deployed.
struct RefreshCommand: APIChange {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Replace the workers of an API by new ones, without a gap.",
        discussion: """
            Configuration and project stay as they were deployed; the old workers answer until the new are ready.

            Examples:
              cortex refresh iris
              cortex refresh iris --force
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Flag(name: .shortAndLong, help: "Replace an update that is in progress.")
    var force = false

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func change(by client: OperatorClient) async throws -> [String: String] {
        try await client.refresh(self.api, force: self.force)
    }
}
