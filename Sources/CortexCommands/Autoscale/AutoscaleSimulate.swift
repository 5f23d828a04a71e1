import ArgumentParser
import CortexControlPlane
import CortexSpec
import Foundation

/// `cortex autoscale simulate TRACE`: what an API's `autoscaling` would make of a load, without a server.
struct AutoscaleSimulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Draw how many replicas an API would have under a load, without a server.",
        discussion: """
            The load is a list of steps, each so many requests in flight for so long:
            8x300 or 8x5m. Or it is a CSV file (- is standard input) with lines of
            seconds,in_flight, each of which holds until the next.

            The settings are those of the API in cortex.yaml, where there is one here, and
            the defaults otherwise.

            Examples:
              cortex autoscale simulate 0x60,8x300,80x600,8x600,0x900
              cortex autoscale simulate monday.csv -f iris/cortex.yaml --api iris
              cortex autoscale simulate 0x1m,8x10m -o json
            """
    )

    @Argument(help: "Steps of load, or a CSV file of seconds,in_flight.", completion: .file(extensions: ["csv"]))
    var trace: String

    @Option(
        name: .shortAndLong,
        help: "The config file (default: cortex.yaml, where there is one).",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    @Option(help: "The API in it, where it has several.")
    var api: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = Console.standard
        let settings = try self.settings(console)
        let trace = try TraceSource.trace(self.trace)
        let report = SimulationReport(
            settings,
            ScalingSimulation(trace, settings.policy, from: settings.autoscaling.initReplicas)
        )
        if self.output.output == .json { return try console.printJSON(report) }
        let size = console.size
        console.print(
            report.render(bold: console.usesColour, width: size?.columns ?? 80, height: size?.rows ?? 36)
        )
    }

    private func settings(_ console: Console) throws -> SimulationReport.Settings {
        let standard = "cortex.yaml"
        guard self.file != nil || self.api != nil || FileManager.default.fileExists(atPath: standard) else {
            return SimulationReport.Settings(api: nil, autoscaling: AutoscalingSpec(), slots: 1)
        }
        let source = try ConfigSource(path: self.file ?? standard, verb: "autoscale simulate TRACE -f")
        let project = LocalProject(source)
        try project.check(console: console)
        let spec = try self.spec(among: project.config?.apis ?? [], of: source.fileName)
        let slots = spec.predictor.processesPerReplica * spec.predictor.threadsPerProcess
        return SimulationReport.Settings(api: "\(spec.name)", autoscaling: spec.autoscaling, slots: slots)
    }

    private func spec(among apis: [APISpec], of file: String) throws(CommandFailure) -> APISpec {
        let names = apis.map { "\($0.name)" }.joined(separator: ", ")
        guard let api = self.api else {
            guard let only = apis.first, apis.count == 1 else {
                throw CommandFailure(
                    apis.isEmpty ? "\(file) has no RealtimeAPI" : "\(file) has several APIs: \(names)",
                    hint: apis.isEmpty ? nil : "name one with --api",
                    exitCode: apis.isEmpty ? 1 : 2
                )
            }
            return only
        }
        guard let found = apis.first(where: { "\($0.name)" == api }) else {
            throw CommandFailure("\(file) has no RealtimeAPI \(api)\(names.isEmpty ? "" : "; it has \(names)")")
        }
        return found
    }
}
