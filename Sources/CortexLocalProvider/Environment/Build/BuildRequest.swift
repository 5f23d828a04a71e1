import CortexServing

/// What is to be built, and the steps to it.
struct BuildRequest: Sendable {
    let key: EnvironmentKey
    let interpreter: PythonInterpreter
    let projectFolder: String
    let hasRequirements: Bool
    /// What no file asks for.
    let plan: PackagePlan

    /// Lines of uv that an error shows; the log has all.
    static let shownLines = 20

    struct Step: Sendable {
        /// In words for the user.
        let name: String
        let command: ToolCommand
    }

    /// Makes an environment in `folder`, and installs into it.
    func steps(in folder: String, tool: UVTool, variables: ProcessEnvironment) -> [Step] {
        let variables = Self.variables(from: variables)
        // Relocatable, as it is moved once it is whole.
        let create = [
            "venv", "--relocatable", "--no-project", "--python", self.interpreter.path, folder,
        ]
        let requirements = self.hasRequirements ? ["-r", RequirementFiles.rootFile] : []
        // One resolution for the user's packages and the worker's, so that the user's pins win or the conflict is told.
        let install =
            ["pip", "install", "--python", "\(folder)/bin/python"] + requirements
            + self.plan.requirements
        return [
            Step(
                name: "creating environment with Python \(self.interpreter.version)",
                command: ToolCommand(
                    executable: tool.path,
                    arguments: create,
                    environment: variables,
                    workingDirectory: self.projectFolder
                )
            ),
            Step(
                name: "installing \(self.wanted)",
                command: ToolCommand(
                    executable: tool.path,
                    arguments: install,
                    environment: variables,
                    workingDirectory: self.projectFolder
                )
            ),
        ]
    }

    /// What is installed, in words.
    private var wanted: String {
        let known = Set(WorkerPackage.requirements)
        let names = self.plan.requirements.filter { !known.contains($0) }
        let all = (self.hasRequirements ? [RequirementFiles.rootFile] : []) + names
        return all.isEmpty ? "worker requirements" : all.joined(separator: ", ")
    }

    /// The user's variables, less those that lead uv to another Python or place, and with pip's settings.
    private static func variables(from user: ProcessEnvironment) -> ProcessEnvironment {
        var variables = user
        let misleading = [
            "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_BREAK_SYSTEM_PACKAGES", "UV_PROJECT_ENVIRONMENT",
            "UV_PYTHON",
            "UV_SYSTEM_PYTHON", "UV_TARGET", "VIRTUAL_ENV", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
        ]
        for name in misleading { variables[name] = nil }
        variables.variables.merge(IndexSettings(environment: user).variables) { $1 }
        variables["NO_COLOR"] = "1"
        variables["UV_NO_PROGRESS"] = "1"
        variables["UV_PYTHON_DOWNLOADS"] = "never"
        return variables
    }
}
