import ArgumentParser
import CortexControlPlane
import CortexKubernetes
import CortexKubernetesProvider
import Foundation

/// `cortex operator`: the control plane of a cluster; `cortex cluster up` starts it there.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Run the operator of a cluster, in a pod of it.",
        discussion: """
            `cortex cluster up` starts it; there is no need to do so by hand.

            Examples:
              cortex cluster up
              cortex operator --image registry.example.com/cortex:1.0
            """,
        shouldDisplay: false
    )

    @Option(help: "The port of its API and of health and metrics (CORTEX_OPERATOR_PORT; default 8889).")
    var port: Int?

    @Option(help: "The image of replicas (CORTEX_IMAGE).")
    var image: String?

    @Option(help: "When that image is pulled: Always, IfNotPresent or Never (CORTEX_IMAGE_PULL_POLICY).")
    var imagePullPolicy: String?

    @Option(help: "The secret with the credentials of the image's registry (CORTEX_IMAGE_PULL_SECRET).")
    var imagePullSecret: String?

    @Option(
        help: "Where environments are kept between pods: node:/PATH, claim:NAME or none (CORTEX_ENVIRONMENT_CACHE)."
    )
    var environmentCache: String?

    @Option(help: "Where packages come from instead of an index: a URL, or a path on the nodes (CORTEX_WHEELS).")
    var wheels: String?

    @Option(help: "Where projects are kept: volume, or s3://…, gs://… or az://… (CORTEX_PROJECT_STORE).")
    var projectStore: String?

    @Option(help: "Where users find APIs, such as https://cortex.example.com (CORTEX_ENDPOINT).")
    var endpoint: String?

    func validate() throws {
        try PortNumber.check(self.port, of: "--port")
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let configuration = try self.configuration(environment)
        try configuration.home.prepare()
        try await runOperator(configuration)
    }

    private func configuration(_ environment: [String: String]) throws -> OperatorConfiguration {
        func value(_ flag: String?, _ variable: String) -> String? {
            flag ?? ServerVariable.text(variable, in: environment)
        }
        let cluster: KubernetesConfiguration
        do {
            cluster = try KubernetesConfiguration.inCluster(environment: environment)
        } catch {
            throw CommandFailure("\(error)")
        }
        guard let image = value(self.image, "CORTEX_IMAGE") else {
            throw CommandFailure("the image of replicas is not given", hint: "name it with --image", exitCode: 2)
        }
        let cacheText = value(self.environmentCache, "CORTEX_ENVIRONMENT_CACHE") ?? "node:/var/lib/cortex"
        guard let cache = ClusterSettings.EnvironmentCache(cacheText) else {
            throw CommandFailure(
                "--environment-cache is \"\(cacheText)\"; allowed are node:/PATH, claim:NAME and none",
                exitCode: 2
            )
        }
        let store = value(self.projectStore, "CORTEX_PROJECT_STORE") ?? "volume"
        let place = ProjectPlace.url(store)
        guard place != nil || store == "volume" else {
            throw CommandFailure("--project-store is \"\(store)\"; allowed are \(ProjectPlace.allowed)", exitCode: 2)
        }
        let port =
            try self.port ?? PortNumber.variable("CORTEX_OPERATOR_PORT", in: environment) ?? CortexNames.adminPort
        var endpoint = value(self.endpoint, "CORTEX_ENDPOINT")
        while endpoint?.hasSuffix("/") == true { endpoint?.removeLast() }
        return OperatorConfiguration(
            home: try CortexHome(environment: environment),
            port: port,
            identity: environment["CORTEX_POD"] ?? ProcessInfo.processInfo.hostName,
            cluster: cluster,
            projectPlace: place,
            settings: ClusterSettings(
                namespace: cluster.namespace,
                image: image,
                imagePullPolicy: value(self.imagePullPolicy, "CORTEX_IMAGE_PULL_POLICY"),
                imagePullSecret: value(self.imagePullSecret, "CORTEX_IMAGE_PULL_SECRET"),
                wheels: value(self.wheels, "CORTEX_WHEELS"),
                environmentCache: cache,
                endpoint: endpoint
            ),
            machineSecret: environment["CORTEX_INTERNAL_TOKEN"]
        )
    }
}

/// What `cortex operator` was asked for.
struct OperatorConfiguration: Sendable {
    /// Where projects are kept, or copies of them.
    var home: CortexHome
    var port: Int
    /// No other operator's.
    var identity: String
    var cluster: KubernetesConfiguration
    /// The URL of the place in an object store in which projects are kept; nil for its own volume.
    var projectPlace: String?
    var settings: ClusterSettings
    /// What gateways and replicas are known by.
    var machineSecret: String?
}
