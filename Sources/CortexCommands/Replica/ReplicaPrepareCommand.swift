import ArgumentParser
import CortexControlPlane
import CortexLocalProvider
import CortexModels
import CortexServing
import CortexSpec
import CortexTelemetry
import Foundation
import Logging

/// `cortex replica prepare`: brings what a replica needs into its pod, before it starts.
struct ReplicaPrepareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Fetch the project and build its Python environment; why that fails is told in the termination log.",
        discussion: """
            The operator of a cluster runs it before `cortex replica run`.

            Examples:
              cortex replica prepare
            """
    )

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        do {
            try await self.prepare(environment)
        } catch {
            TerminationLog(environment: environment).write(CommandFailure.text(of: error))
            throw error
        }
    }

    private func prepare(_ environment: [String: String]) async throws {
        var logger = Logger(label: "cortex") { _ in LineLogHandler(asText: isatty(2) == 1) }
        logger.logLevel = .info
        let deployment = try DeploymentFile(environment: environment).read().ofReplica
        let home = try CortexHome(environment: environment)
        try home.prepare()
        let toolHome = Self.toolHome(environment, home: home)
        try toolHome.prepare()
        guard let hash = ProjectHash(deployment.project) else {
            throw CommandFailure("\(deployment.project) is not the hash of a project")
        }
        let projects = try ProjectStore(folder: home.projects)
        logger.info("fetching the project", metadata: ["project": "\(hash)"])
        try await ProjectFetch(of: hash, environment: environment, logger: logger).fetch(hash, into: projects)
        _ = try WorkerPackage.unpack(below: toolHome.tools)
        let environments = try await ServerVariable.environments(home: toolHome)
        let log = PodLog(api: deployment.spec.name, version: deployment.version, stream: "environment")
        let preparation = EnvironmentPreparation(
            deployment: deployment,
            home: home,
            version: CortexVersion.current,
            variables: environment,
            projects: projects,
            environments: environments
        )
        let made = try await preparation.run { log.write($0) }
        if deployment.spec.hasRemoteModels {
            _ = try await environments.toolEnvironment(packages: StorageAgent.requirements) { log.write($0) }
        }
        if let folder = ServerVariable.text("TENSORFLOW_SERVING_FOLDER", in: environment) {
            try Self.prepareServing(in: folder)
        }
        // Those of a node share the disk; nobody else looks after it.
        let budget = try ServerVariable.bytes("CORTEX_ENVIRONMENT_BUDGET", in: environment)
        do {
            try await preparation.keep(within: budget.map { ByteCount(Int64($0)) } ?? .gibibytes(20)) { log.write($0) }
        } catch {
            logger.warning("environments were not kept within their budget", metadata: ["error": "\(error)"])
        }
        withExtendedLifetime(made) {}
        logger.info("prepared", metadata: ["api": "\(deployment.spec.name)", "version": "\(deployment.version)"])
    }

    /// A TensorFlow Serving of the pod starts with no model: workers, which start after it, tell it which ones they need.
    private static func prepareServing(in folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let file = URL(filePath: folder).appending(path: "models.config")
        try Data("model_config_list {\n}\n".utf8).write(to: file, options: .atomic)
    }

    /// Where environments and tools are: a folder that the pods of a node share, as a rule.
    static func toolHome(_ environment: [String: String], home: CortexHome) -> CortexHome {
        ServerVariable.text("CORTEX_TOOL_HOME", in: environment).map { CortexHome(path: $0) } ?? home
    }
}
