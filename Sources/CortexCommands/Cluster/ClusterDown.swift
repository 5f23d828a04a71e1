import ArgumentParser
import CortexControlPlane
import CortexKubernetes
import Foundation

/// `cortex cluster down`: takes an installation and all its APIs away.
struct ClusterDown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Take Cortex and all its APIs away from a namespace of a cluster.",
        discussion: """
            Deletes the APIs, operator, gateways, the stored projects and the tokens; the namespace where `cluster up` \
            made it; the custom resources where no other namespace has any; and the environment of this machine. \
            Images, what an object store holds, and what nodes keep of Python environments, stay.

            Examples:
              cortex cluster down
              cortex cluster down --env prod --yes
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @Flag(inversion: .prefixedNo, help: "Wait until all of it is gone.")
    var wait = true

    @Option(help: "How long to wait, such as 90s or 5m; then the exit code is 3.")
    var timeout = WaitLimit(.seconds(300))

    func run() async throws {
        let console = Console.standard
        let choice = try self.cluster.choice()
        let location = try await choice.location()
        var kubectl = choice.kubectl
        kubectl.context = location.context
        var removal = ClusterRemoval(
            location: location,
            calls: ClusterCalls(kubectl, console: console),
            waits: self.wait,
            limit: self.timeout
        )
        do {
            let facts = try await removal.facts()
            guard let facts else {
                console.note("nothing of Cortex is in the \(location.description)")
                return try self.forget(location, console)
            }
            guard try self.isWanted(facts, location, console) else { return console.note("nothing was removed") }
            let notes = try await removal.run(facts)
            for note in notes { console.note(note) }
            console.print("cortex is gone from the namespace \(location.namespace) of \(location.context)")
            try self.forget(location, console)
        } catch let failure as KubectlFailure {
            removal.calls.clear()
            kubectl.namespace = location.namespace
            throw failure.failure(of: kubectl)
        } catch {
            removal.calls.clear()
            throw error
        }
    }

    /// Asks a person; a script says that it is meant.
    private func isWanted(_ facts: ClusterRemoval.Facts, _ location: ClusterLocation, _ console: Console) throws -> Bool
    {
        guard !self.yes else { return true }
        guard let prompt = Prompt(console: console) else {
            throw CommandFailure(
                "this deletes \(facts.summary), and there is no terminal to ask on",
                hint: "if that is meant: --yes",
                exitCode: 2
            )
        }
        console.note("in the cluster of the context \(location.context) this deletes \(facts.summary)")
        let answer = prompt.ask("\ndelete it? [y/N]")?.lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Takes the environments away that lead there.
    private func forget(_ location: ClusterLocation, _ console: Console) throws {
        var file = try EnvironmentFile(home: CortexHome(environment: ProcessInfo.processInfo.environment))
        let entries = file.entries.filter { $0.place.cluster?.isSamePlace(as: location) ?? false }
        guard !entries.isEmpty else { return }
        for entry in entries where file.remove(entry.name) {
            console.print("deleted the configuration of the environment \(entry.name)")
        }
        try file.save()
    }
}
