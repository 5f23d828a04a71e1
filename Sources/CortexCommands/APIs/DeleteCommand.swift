import ArgumentParser
import CortexControlPlane
import Foundation

/// `cortex delete API`.
struct DeleteCommand: APIChange {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Take an API away; requests in flight are answered first.",
        discussion: """
            Examples:
              cortex delete iris
              cortex delete iris --env prod
            """
    )

    @Argument(help: "The API's name.")
    var api: String

    @Flag(name: .shortAndLong, help: "Accepted for scripts of earlier versions; there is no question to skip.")
    var force = false

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func change(by client: OperatorClient) async throws -> [String: String] {
        try await client.delete(self.api)
    }
}
