import ArgumentParser
import CortexControlPlane
import Foundation

/// Which cluster, and where in it: of every `cortex cluster` command.
struct ClusterOptions: ParsableArguments {
    static let standardNamespace = "cortex"

    @Option(name: [.customShort("n"), .long], help: "The namespace of the installation (default: cortex).")
    var namespace: String?

    @Option(help: "The context of the kubeconfig (default: its current one).")
    var context: String?

    @Option(help: "The kubeconfig file (default: KUBECONFIG, else ~/.kube/config).", completion: .file())
    var kubeconfig: String?

    @Option(
        name: [.customShort("e"), .customLong("env")],
        help: "The environment of the installation (default: named as the namespace)."
    )
    var environment: String?

    func validate() throws {
        if let namespace, !Self.isLabel(namespace) {
            throw ValidationError(
                "--namespace is \(namespace.debugDescription); allowed are 1 to 63 of a-z, 0-9 and '-', no '-' at the ends"
            )
        }
    }

    /// Whether it is a name that Kubernetes takes for a namespace.
    static func isLabel(_ text: String) -> Bool {
        let legal = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return legal && (1...63).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
    }

    /// What the flags mean, with what is known of the environment that they name.
    struct Choice {
        /// Of the installation.
        var environment: EnvironmentName
        /// Whether a flag says which environment it is.
        var isEnvironmentNamed: Bool
        /// What is configured under that name.
        var entry: EnvironmentFile.Entry?
        var kubectl: Kubectl
        var namespace: String
    }

    func choice(environment variables: [String: String] = ProcessInfo.processInfo.environment) throws -> Choice {
        let file = try EnvironmentFile(home: CortexHome(environment: variables))
        let named = try self.environment.map { text throws(CommandFailure) in try EnvironmentName(text) }
        let wanted = self.namespace ?? Self.standardNamespace
        let name = try named ?? EnvironmentName(wanted)
        guard name != .local else {
            throw CommandFailure(
                "local is the server of this machine, and no environment of a cluster",
                hint: "name another: --env NAME",
                exitCode: 2
            )
        }
        let entry = file.entry(name)
        // A named environment says where it is; flags may say otherwise.
        let known = named == nil ? nil : entry?.place.cluster
        let kubeconfig =
            self.kubeconfig ?? known?.kubeconfig ?? variables["KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        return Choice(
            environment: name,
            isEnvironmentNamed: named != nil,
            entry: entry,
            kubectl: try Kubectl(
                context: self.context ?? (self.kubeconfig == nil ? known?.context : nil),
                kubeconfig: kubeconfig.map(ClusterLocation.absolute(kubeconfig:)),
                environment: variables
            ),
            namespace: self.namespace ?? known?.namespace ?? Self.standardNamespace
        )
    }
}

extension ClusterOptions.Choice {
    /// The place that is meant, with the context that kubectl would take; nothing is asked of the cluster.
    func location() async throws -> ClusterLocation {
        let text: String
        do {
            text = try await self.kubectl.run(["config", "view", "--minify", "-o", "jsonpath={.current-context}"])
        } catch let failure as KubectlFailure {
            throw failure.failure(of: self.kubectl)
        }
        let context = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return ClusterLocation(
            kubeconfig: self.kubectl.kubeconfig,
            context: self.kubectl.context ?? context,
            namespace: self.namespace
        )
    }
}
