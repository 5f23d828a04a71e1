import CortexKubernetes
import CortexSpec
import Foundation

/// Calls of `kubectl` one after another, with what is going on shown, and patience where the API server is away.
struct ClusterCalls {
    let kubectl: Kubectl
    let console: Console
    private var progress: ProgressLine
    private var step = ""
    /// How long an API server may be away; little before it has answered once, since an address may be wrong.
    private var patience = Duration.seconds(10)

    private static let establishedPatience = Duration.seconds(120)

    init(_ kubectl: Kubectl, console: Console) {
        self.kubectl = kubectl
        self.console = console
        self.progress = ProgressLine(console: console)
    }

    /// Notes what the calls from now on are for.
    mutating func show(_ step: String? = nil) {
        self.step = step ?? self.step
        self.progress.show(step)
    }

    /// Takes the line in motion away.
    mutating func clear() { self.progress.clear() }

    /// One call, tried again while nobody answers; returns what it printed.
    /// - Parameters:
    ///   - limit: How long the API server may take for each of its requests.
    mutating func run(
        _ arguments: [String],
        input: String = "",
        limit: Duration = .seconds(30)
    ) async throws -> String {
        let kubectl = self.kubectl
        let timed = arguments + ["--request-timeout=\(limit.components.seconds)s"]
        let started = ContinuousClock.now
        var pause = Duration.milliseconds(250)
        while true {
            do {
                let output = try await self.progress.show { try await kubectl.run(timed, input: input) }
                if self.patience != Self.establishedPatience { self.patience = Self.establishedPatience }
                self.progress.show(self.step)
                return output
            } catch let failure as KubectlFailure {
                guard failure.isPassing, ContinuousClock.now - started < self.patience else {
                    self.clear()
                    throw failure
                }
                self.progress.show("\(self.step): the API server does not answer, trying again (\(failure))")
                try await self.progress.show { [pause] in try await Task.sleep(for: pause) }
                pause = min(pause * 2, .seconds(3))
            }
        }
    }

    /// The objects that a `get` finds; those that are not there are left out.
    mutating func objects(_ arguments: [String]) async throws -> [KubernetesObject] {
        let text = try await self.run(["get"] + arguments + ["--ignore-not-found", "-o", "json"])
        guard !text.allSatisfy(\.isWhitespace) else { return [] }
        let found = try KubernetesJSON.value(of: text.utf8)
        return found["items"]?.array?.map { KubernetesObject($0) } ?? [KubernetesObject(found)]
    }

    /// Sees to it that the objects are there as they are given.
    /// - Parameter manager: Who they are by; what another has put into them stays.
    mutating func apply(_ objects: [KubernetesObject], manager: String = CortexNames.clusterManager) async throws {
        guard !objects.isEmpty else { return }
        let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(objects.map(\.json))]
        _ = try await self.run(
            [
                "apply", "--server-side", "--force-conflicts", "--field-manager", manager, "--validate=false", "-f",
                "-",
            ],
            input: String(decoding: try KubernetesJSON.encoder.encode(list), as: UTF8.self)
        )
    }
}
