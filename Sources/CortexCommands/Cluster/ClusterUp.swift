import ArgumentParser
import CortexControlPlane
import CortexKubernetes
import CortexSpec

/// `cortex cluster up`: operator and gateways in a namespace, and an environment that leads to them.
struct ClusterUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Install Cortex into a namespace of a cluster, or change or upgrade what is there.",
        discussion: """
            May be run again at any time: it mends what is missing, keeps what was chosen before, and changes what its
            flags say. Nothing is applied where rights are missing.

            Examples:
              cortex cluster up --image registry.example.com/cortex:0.1.0
              cortex cluster up --gateways 4 --service-type LoadBalancer
              cortex cluster up --image registry.example.com/cortex:0.1.0 --dry-run -o yaml > cortex.yaml
            """
    )

    /// How the result is told, or the objects are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case pretty, yaml, json
    }

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var settings: InstallationOptions

    @Flag(help: "Print the objects, and ask nothing of the cluster; secrets are not among them.")
    var dryRun = false

    @Option(help: "With --dry-run: the Kubernetes release that the objects are for.")
    var kubernetesVersion: String?

    @Flag(inversion: .prefixedNo, help: "Wait until operator and gateways are ready.")
    var wait = true

    @Option(help: "How long to wait, such as 90s or 5m; then the exit code is 3.")
    var timeout = WaitLimit(.seconds(300))

    @Flag(help: "Put this release where a newer one is installed; keep projects elsewhere though APIs are deployed.")
    var force = false

    @Option(name: .shortAndLong, help: "How results are printed: pretty or json; with --dry-run yaml or json.")
    var output: Format?

    func validate() throws {
        guard self.dryRun || self.output != .yaml else {
            throw ValidationError("-o yaml is for --dry-run; allowed are pretty and json")
        }
        guard self.dryRun || self.kubernetesVersion == nil else {
            throw ValidationError("--kubernetes-version is for --dry-run; else the cluster tells its own")
        }
        if let kubernetesVersion, ClusterFacts.Release(kubernetesVersion) == nil {
            throw ValidationError(
                "--kubernetes-version is \(kubernetesVersion.debugDescription); allowed is such as 1.29"
            )
        }
    }

    func run() async throws {
        let console = Console.standard
        if self.dryRun { return try self.printObjects(console) }
        let choice = try self.cluster.choice()
        let location = try await choice.location()
        try Self.checkEnvironment(choice, location)
        var setup = ClusterSetup(
            kubectl: choice.kubectl,
            location: location,
            environment: choice.environment,
            isForced: self.force,
            console: console
        )
        let settings = self.settings
        let outcome = try await setup.apply { try settings.settings(before: $0?.settings, installed: $0?.version) }
        if self.wait { try await setup.wait(self.timeout, for: outcome.installation) }
        try self.report(outcome, choice.environment, location, console)
    }

    /// An environment of that name that leads elsewhere is not replaced.
    private static func checkEnvironment(_ choice: ClusterOptions.Choice, _ location: ClusterLocation) throws {
        guard let entry = choice.entry, !(entry.place.cluster?.isSamePlace(as: location) ?? false) else { return }
        throw CommandFailure(
            "the environment \(entry.name) leads elsewhere: \(entry.place)",
            hint: "give this one another name (--env NAME), or forget the other (cortex env delete \(entry.name))",
            exitCode: 2
        )
    }

    private func printObjects(_ console: Console) throws {
        let installation = Installation(
            namespace: self.cluster.namespace ?? ClusterOptions.standardNamespace,
            version: CortexVersion.current,
            settings: try self.settings.settings(before: nil, installed: nil),
            policyVersion: self.kubernetesVersion.flatMap { ClusterFacts.Release($0) }?.policyVersion ?? "v1"
        )
        let objects = try installation.objects()
        if self.output == .json {
            try console.printJSON(
                ["apiVersion": "v1", "kind": "List", "items": .array(objects.map(\.json))] as JSONValue
            )
        } else {
            console.print(Self.heading(installation.namespace) + ClusterManifest.yaml(objects))
        }
    }

    private static func heading(_ namespace: String) -> String {
        """
        # Cortex \(CortexVersion.current), as cortex cluster up --dry-run prints it. Its secrets are not here, since this may be kept
        # where others read it. Once these objects are applied, make them, and an environment, with:
        #   cortex cluster up --namespace \(namespace)

        """
    }

    /// What `-o json` prints.
    private struct Report: Encodable {
        var environment: String
        var context: String
        var namespace: String
        var version: String
        var previousVersion: String?
        var image: String

        private enum CodingKeys: String, CodingKey {
            case environment, context, namespace, version, image
            case previousVersion = "previous_version"
        }
    }

    private func report(
        _ outcome: ClusterSetup.Outcome,
        _ environment: EnvironmentName,
        _ location: ClusterLocation,
        _ console: Console
    ) throws {
        if self.output == .json {
            return try console.printJSON(
                Report(
                    environment: "\(environment)",
                    context: location.context,
                    namespace: location.namespace,
                    version: CortexVersion.current,
                    previousVersion: outcome.before,
                    image: outcome.installation.settings.image
                )
            )
        }
        let state = self.wait ? "is up in" : "was applied to"
        console.print(
            "cortex \(CortexVersion.current) \(state) the namespace \(location.namespace) of \(location.context)"
        )
        console.print("configured the environment \(environment); deploy to it: cortex deploy --env \(environment)")
    }
}
