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

    func validate() throws { try Self.check(namespace: self.namespace) }

    /// Refuses what Kubernetes takes for no namespace's name.
    static func check(namespace: String?) throws {
        guard let namespace, !Self.isLabel(namespace) else { return }
        throw ValidationError(
            "--namespace is \(namespace.debugDescription); allowed are 1 to 63 of a-z, 0-9 and '-', no '-' at the ends"
        )
    }

    private static func isLabel(_ text: String) -> Bool {
        let legal = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return legal && (1...63).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
    }

    /// What the flags mean, with what is known of the environment that they name.
    struct Choice {
        /// Of the installation.
        var environment: EnvironmentName
        /// What is configured under that name.
        var entry: EnvironmentFile.Entry?
        var kubectl: Kubectl
        var namespace: String
    }

    func choice(environment variables: [String: String] = ProcessInfo.processInfo.environment) throws -> Choice {
        let file = try EnvironmentFile(home: CortexHome(environment: variables))
        let named = try self.environment.map { text throws(CommandFailure) in try EnvironmentName(text) }
        let name = try named ?? EnvironmentName(self.namespace ?? Self.standardNamespace)
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
        return Choice(
            environment: name,
            entry: entry,
            kubectl: try Kubectl(
                context: self.context ?? (self.kubeconfig == nil ? known?.context : nil),
                kubeconfig: self.kubeconfig ?? known?.kubeconfig,
                environment: variables
            ),
            namespace: self.namespace ?? known?.namespace ?? Self.standardNamespace
        )
    }
}

extension ClusterOptions.Choice {
    func location() async throws -> ClusterLocation { try await self.kubectl.location(namespace: self.namespace) }
}

extension Kubectl {
    /// A namespace of its cluster, with the context that it takes; nothing is asked of the cluster.
    func location(namespace: String) async throws -> ClusterLocation {
        let text: String
        do {
            text = try await self.run(["config", "view", "--minify", "-o", "jsonpath={.current-context}"])
        } catch let failure as KubectlFailure {
            throw failure.failure(of: self)
        }
        let context = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return ClusterLocation(
            kubeconfig: self.kubeconfig,
            context: self.context ?? context,
            namespace: namespace
        )
    }
}
