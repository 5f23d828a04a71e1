package import CortexControlPlane
import CortexGateway
package import CortexSpec
import Foundation

/// Makes the Python environment of a deployment ahead of its workers, which then find it: before a pod's container starts.
package struct EnvironmentPreparation: Sendable {
    private let deployment: Deployment
    private let home: CortexHome
    private let version: String
    private let variables: [String: String]
    private let projects: ProjectStore
    private let environments: EnvironmentBuilder

    /// - Parameters:
    ///   - home: Where the project is unpacked for the time being.
    ///   - version: The release of this program.
    ///   - variables: This process's own, from which those of the build are made.
    ///   - projects: Has the deployment's project.
    package init(
        deployment: Deployment,
        home: CortexHome,
        version: String,
        variables: [String: String],
        projects: ProjectStore,
        environments: EnvironmentBuilder
    ) {
        self.deployment = deployment
        self.home = home
        self.version = version
        self.variables = variables
        self.projects = projects
        self.environments = environments
    }

    /// - Parameter progress: Gets each line that the build says.
    /// - Returns: The environment, which stays as long as the value lives.
    /// - Throws: ``EnvironmentError``, or what is wrong with the project.
    package func run(progress: @escaping @Sendable (String) -> Void) async throws -> PythonEnvironment {
        guard let hash = ProjectHash(self.deployment.project) else {
            throw VersionError.badProject(self.deployment.project)
        }
        let folder = "\(self.home.versions)/preparation-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let project = "\(folder)/project"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await self.projects.unpack(hash, into: project)
        let spec = self.deployment.spec
        // What differs from the variables of the workers does not count among what decides an environment's content.
        let variables = WorkerEnvironment(
            deployment: self.deployment,
            projectDirectory: project,
            cacheDirectory: "\(folder)/cache",
            dotEnv: try DotEnv.read(inProject: project),
            version: self.version,
            machine: MachineCapacity.current(),
            gateway: WorkerAddress(host: "127.0.0.1", port: WorkerAddress.usualPort),
            isChaining: false,
            hidesGPUs: spec.compute.gpu == 0
        ).variables(base: self.variables)
        let request = EnvironmentRequest(
            api: spec.name,
            project: hash,
            projectFolder: project,
            spec: spec,
            variables: variables
        )
        return try await self.environments.environment(for: request) { said in
            if !said.isPassing { progress(said.text) }
        }
    }

    /// Removes environments that nobody uses, longest unused first, until the rest fits; nothing that any process has.
    package func keep(within limit: ByteCount, progress: @escaping @Sendable (String) -> Void) async throws {
        let budget = EnvironmentBudget(limit: limit) { EnvironmentUses() }
        _ = try await budget.apply(to: self.environments.store) { key, bytes in
            progress("removed the environment \(key) (\(bytes) bytes), which nobody uses")
        }
    }
}

extension DotEnv {
    /// The variables in a project's `.env`; none where it has none.
    static func read(inProject folder: String) throws -> [(key: String, value: String)] {
        let path = "\(folder)/.env"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try Self.parse(try String(contentsOfFile: path, encoding: .utf8))
    }
}
