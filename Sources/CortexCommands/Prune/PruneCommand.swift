import ArgumentParser
import CortexControlPlane

/// `cortex prune`: disk space that no API needs.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Free the server's disk of what no API needs.",
        discussion: """
            Frees environments that no API uses, projects that no deployment can go back to, logs of builds whose \
            environments are gone, and what earlier releases left behind. What a deployed API needs stays, and so do \
            the environments of its last 3 live deployments, and its last 10 projects. An environment that is needed \
            again is built again.

            Examples:
              cortex prune --dry-run
              cortex prune --all --yes
            """
    )

    @Flag(name: .long, help: "Tell what would be freed, and free nothing.")
    var dryRun = false

    @Flag(name: .shortAndLong, help: "Free the environments of earlier deployments too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = Console.standard
        let client = try await self.environment.connect(console: console)
        guard try await self.isWanted(client, console) else { return console.note("nothing was removed") }
        let report = try await self.prune(client, isDryRun: self.dryRun, console)
        if self.output.output == .json {
            try console.printJSON(report)
        } else {
            console.print(PruneTable(report).render(bold: console.usesColour, width: console.size?.columns))
        }
        guard report.problems.isEmpty else {
            throw CommandFailure(
                "not all of it could be removed",
                hint: report.problems.joined(separator: "\n  ")
            )
        }
    }

    /// Asks a person, after telling what there is to free; a script has asked for it by its call.
    private func isWanted(_ client: OperatorClient, _ console: Console) async throws -> Bool {
        guard !self.dryRun, !self.yes, self.output.output == .pretty, let prompt = Prompt(console: console) else {
            return true
        }
        let report = try await self.prune(client, isDryRun: true, console)
        // The report itself says that there is nothing to do.
        guard !report.items.isEmpty else { return true }
        console.note(PruneTable(report).render(bold: console.usesColourInErrors, width: console.size?.columns))
        let answer = prompt.ask("\nremove it? [y/N]")?.lowercased()
        return answer == "y" || answer == "yes"
    }

    private func prune(_ client: OperatorClient, isDryRun: Bool, _ console: Console) async throws -> PruneReport {
        var progress = ProgressLine(console: console)
        defer { progress.clear() }
        progress.show(isDryRun ? "looking for what can be freed" : "freeing disk space")
        let isThorough = self.all
        do {
            return try await progress.show { try await client.prune(isDryRun: isDryRun, isThorough: isThorough) }
        } catch let refusal as OperatorClient.Refusal {
            throw refusal.failure
        }
    }
}
