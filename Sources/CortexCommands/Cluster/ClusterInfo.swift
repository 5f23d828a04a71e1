import ArgumentParser
import CortexControlPlane
import CortexKubernetes
import Foundation

/// `cortex cluster info`: what is installed, and how it does.
struct ClusterInfo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what is installed on a cluster, and how it does.",
        discussion: """
            Examples:
              cortex cluster info
              cortex cluster info --env prod -o json
            """
    )

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let choice = try self.cluster.choice()
        let location = try await choice.location()
        var kubectl = choice.kubectl
        kubectl.context = location.context
        var calls = ClusterCalls(kubectl, console: console)
        do {
            let facts = try await ClusterFacts.read(&calls, namespace: location.namespace)
            let apis = try await Self.apis(&calls, facts, location)
            calls.clear()
            let file = try EnvironmentFile(home: CortexHome(environment: ProcessInfo.processInfo.environment))
            let environments = file.entries.filter { $0.place.cluster?.isSamePlace(as: location) ?? false }
            let report = ClusterReport(
                facts,
                apis: apis,
                location: location,
                environments: environments.map { "\($0.name)" }
            )
            if self.output.output == .json {
                try console.printJSON(report)
            } else {
                console.print(report.text(bold: console.usesColour))
            }
            if report.version == nil || !report.problems.isEmpty { throw ExitCode(1) }
        } catch let failure as KubectlFailure {
            calls.clear()
            kubectl.namespace = location.namespace
            throw failure.failure(of: kubectl)
        } catch {
            calls.clear()
            throw error
        }
    }

    private static func apis(
        _ calls: inout ClusterCalls,
        _ facts: ClusterFacts,
        _ location: ClusterLocation
    ) async throws -> Int {
        guard facts.namespace != nil, !(facts.definitions?.isEmpty ?? false) else { return 0 }
        return try await calls.objects(
            [Installation.definitionNames.joined(separator: ","), "-n", location.namespace]
        ).count
    }
}
