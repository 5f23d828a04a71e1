import CortexControlPlane
import CortexSpec
import Foundation

/// What is to be built: all that decides an environment's content.
struct BuildRequest: Sendable {
    var interpreter: PythonInterpreter
    /// Where the files are that are named by requirements and scripts.
    var projectFolder: String
    /// Nil for a program of the server's own.
    var project: ProjectHash?
    var requirements = RequirementFiles()
    /// What no file asks for.
    var plan: PackagePlan
    var script: InstallScript?
    /// The content of `conda-packages.txt`.
    var condaPackages: [UInt8]?
    /// What each step sees.
    var variables: ProcessEnvironment
    /// Those of the API's own, by `predictor.env` and `.env`.
    var ownVariables: [String: String] = [:]

    /// Whether the project's folder itself is worked in, so that a copy of it is.
    var worksInProject: Bool {
        self.script != nil || self.requirements.leadIntoProject
    }

    /// Whether the environment leads to the copy of the project.
    var keepsProject: Bool {
        self.script != nil || self.requirements.hasEditables
    }

    /// The variables of the API that decide what is installed: a script may look at each of them.
    var decisiveVariables: [String: String] {
        guard self.script == nil else { return self.ownVariables }
        let named = self.requirements.variables
        return self.ownVariables.filter { name, _ in
            named.contains(name) || name.hasPrefix("UV_") || name.hasPrefix("PIP_") || name.hasPrefix("CONDA_")
        }
    }

    var key: EnvironmentKey { EnvironmentKey(self) }
}

extension BuildRequest {
    /// What is to be built for an API.
    init(
        _ request: EnvironmentRequest,
        interpreter: PythonInterpreter,
        requirements: RequirementFiles,
        plan: PackagePlan
    ) throws {
        let dotEnv = FileManager.default.contents(atPath: "\(request.projectFolder)/.env")
            .map { String(decoding: $0, as: UTF8.self) }
        let own = try dotEnv.map { try DotEnv.parse($0) } ?? []
        self.init(
            interpreter: interpreter,
            projectFolder: request.projectFolder,
            project: request.project,
            requirements: requirements,
            plan: plan,
            script: InstallScript(projectFolder: request.projectFolder),
            condaPackages: FileManager.default.contents(atPath: "\(request.projectFolder)/\(CondaTool.file)")
                .map(Array.init),
            variables: ProcessEnvironment(request.variables),
            ownVariables: request.spec.predictor.env.merging(own.map { ($0.key, $0.value) }) { $1 }
        )
    }
}
