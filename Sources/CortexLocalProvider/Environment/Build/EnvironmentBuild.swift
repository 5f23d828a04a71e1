import CortexServing
import CortexSpec
import Foundation

/// The making of one environment, in the documented order: `dependencies.sh`, `conda-packages.txt`, then one resolution of all
/// that pip would install.
struct EnvironmentBuild {
    let request: BuildRequest
    let tool: UVTool
    let limits: BuildLimits
    let folder: BuildFolder
    let log: BuildLog
    let report: (BuildProgress) -> Void

    /// Lines that are kept to find out what failed.
    private static let readLines = 400

    private var prefix: String { "\(self.folder.path)/env" }
    private var python: String { "\(self.prefix)/bin/python" }
    private var copy: ProjectCopy { ProjectCopy(build: self.folder.path) }
    /// Where the steps run.
    private var project: String { self.request.worksInProject ? self.copy.folder : self.request.projectFolder }

    func run() async throws {
        let request = self.request
        if request.worksInProject { try self.copy.make(of: request.projectFolder) }
        if let packages = request.condaPackages {
            // Before anything takes time.
            let conda = try CondaTool.find(in: request.variables)
            // A script may prepare what conda is to do, and needs an environment to do it in.
            let isLater = request.script != nil
            try await self.create(conda, with: isLater ? [] : packages)
            if request.script != nil { try await self.runScript() }
            if isLater { try await self.install(conda) }
            try await self.check()
        } else {
            try await self.create()
            if request.script != nil { try await self.runScript() }
        }
        try await self.install()
        if request.worksInProject, !request.keepsProject { self.copy.remove() }
    }

    // MARK: Steps

    private func create() async throws {
        let version = self.request.interpreter.version
        self.report(.step("creating an environment with Python \(version)"))
        let python = self.request.interpreter.path
        try await self.runUV(["venv", "--no-project", "--python", python, self.prefix])
    }

    private func create(_ conda: CondaTool, with packages: [UInt8]) async throws {
        let version = self.request.interpreter.version
        self.report(.step("creating an environment with \(conda.name) for Python \(version.major).\(version.minor)"))
        let all = self.request.condaPackages ?? []
        let file = "\(self.folder.path)/\(CondaTool.file)"
        try Data(packages).write(to: URL(fileURLWithPath: file))
        let asksForPython = CondaTool.asksForPython(packages)
        // What a script needs as well: pip, and the Python that comes in the end.
        let spec = packages.isEmpty ? CondaTool.pythonSpec(all) : nil
        let arguments = conda.arguments(
            creating: self.prefix,
            packages: packages.isEmpty ? nil : file,
            python: asksForPython ? nil : spec ?? "python=\(version.major).\(version.minor)"
        )
        try await self.runConda(conda, arguments)
    }

    private func install(_ conda: CondaTool) async throws {
        self.report(.step("installing \(CondaTool.file) with \(conda.name)"))
        try await self.runConda(
            conda,
            conda.arguments(installingInto: self.prefix, packages: "\(self.project)/\(CondaTool.file)")
        )
    }

    private func runConda(_ conda: CondaTool, _ arguments: [String]) async throws {
        let (end, lines) = try await self.runTool(conda.path, arguments, self.toolVariables, in: self.project)
        switch end {
        case .succeeded: return
        case .overdue: throw self.overdue(conda.name, lines)
        case .failed: throw self.failed(conda.failure(of: lines, packages: self.request.condaPackages ?? []), lines)
        }
    }

    /// Whether conda left a Python that can carry workers.
    private func check() async throws {
        guard ProcessEnvironment.isExecutable(self.python) else {
            throw self.failed(
                BuildFailure(place: CondaTool.file, reason: "conda left no Python in the environment"),
                []
            )
        }
        let found = try await PythonInterpreter.inspect(self.python, in: self.request.variables)
        self.report(.line("conda brought Python \(found.version)"))
    }

    private func runScript() async throws {
        self.report(.step("running \(InstallScript.file)"))
        guard let bash = self.request.variables.executable("bash") else {
            throw self.failed(BuildFailure(place: InstallScript.file, reason: "there is no bash on PATH"), [])
        }
        try await self.installPip()
        var variables = self.request.variables
        variables["VIRTUAL_ENV"] = self.prefix
        variables["PATH"] = "\(self.prefix)/bin:" + (variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        variables["CORTEX_PROJECT_DIR"] = self.project
        // Nobody is there to answer.
        for (name, value) in ["PIP_NO_INPUT": "1", "DEBIAN_FRONTEND": "noninteractive", "GIT_TERMINAL_PROMPT": "0"]
        where variables[name] == nil {
            variables[name] = value
        }
        let script = ScriptRun(
            bash: bash,
            folder: self.project,
            variables: variables,
            limit: self.limits.dependencies,
            watch: self.folder.watch,
            trap: "\(self.folder.path)/trap.sh"
        )
        try await self.copy.notingFiles {
            guard let failure = try await script.run(onLine: { self.report(.line($0)) }) else { return }
            throw self.failed(failure, failure.output)
        }
    }

    /// Scripts expect a `pip`; the one that Python carries will do where none can be fetched.
    private func installPip() async throws {
        guard !ProcessEnvironment.isExecutable("\(self.prefix)/bin/pip") else { return }
        let fetch = ["pip", "install", "--python", self.python, "pip"] + self.indexOptions
        let (end, _) = try await self.runTool(self.tool.path, self.located(fetch), self.toolVariables)
        guard end != .succeeded else { return }
        let unpack = ["-m", "ensurepip", "--default-pip"]
        let (unpacked, lines) = try await self.runTool(self.python, unpack, self.toolVariables)
        guard unpacked != .succeeded else { return }
        throw self.failed(BuildFailure(place: InstallScript.file, reason: "there is no pip to be had for it"), lines)
    }

    private func install() async throws {
        // A script may have written what is to be installed.
        let requirements =
            self.request.script == nil ? self.request.requirements : RequirementFiles(projectFolder: self.project)
        let plan = self.request.plan
        let count = requirements.count + plan.requirements.count
        self.report(.step("resolving \(count) requirement\(count == 1 ? "" : "s")"))
        let files = requirements.root.map { ["-r", $0] } ?? []
        var options = self.indexOptions
        if !plan.overrides.isEmpty {
            let file = "\(self.folder.path)/overrides.txt"
            try Data(plan.overrides.map { "\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: file))
            options += ["--override", file]
        }
        let torch = try await self.torch(requirements)
        options += torch.options
        let install = ["pip", "install", "--python", self.python] + options
        guard requirements.requireHashes else {
            // One resolution for the user's packages and the others, so that the user's pins win or the conflict is told.
            return try await self.runUV(install + files + plan.requirements + torch.pins, requirements)
        }
        // What is not the user's has no hash in their file; what is there by then is not changed for it.
        try await self.runUV(install + files, requirements)
        try await self.runUV(install + plan.requirements + torch.pins, requirements, isChecked: false)
    }

    /// Where torch comes from, if it is wanted.
    private func torch(_ requirements: RequirementFiles) async throws -> TorchSource.Choice {
        guard self.request.plan.isTorchWanted else { return TorchSource.Choice() }
        let family: Set<String> = ["torch", "torchvision", "torchaudio"]
        let source = TorchSource(
            tool: self.tool,
            python: self.python,
            projectFolder: self.project,
            variables: self.toolVariables,
            packages: self.request.plan.requirements.filter { requirement in
                RequirementLine(number: 0, text: requirement).name.map { family.contains($0) } ?? false
            },
            places: requirements.places + self.indexOptions,
            scratch: self.folder.path
        )
        self.report(.status("looking for a build of torch for CPUs"))
        do {
            return try await source.find()
        } catch let error as TorchFailure {
            throw self.failed(BuildFailure(reason: error.reason), error.lines)
        }
    }

    // MARK: Tools

    private var indexOptions: [String] {
        IndexSettings(environment: self.request.variables, prefix: self.prefix).isWithoutIndex ? ["--no-index"] : []
    }

    /// The user's variables, less those that lead uv to another Python or place, and with pip's settings.
    private var toolVariables: ProcessEnvironment {
        var variables = self.request.variables
        let misleading = [
            "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_BREAK_SYSTEM_PACKAGES", "UV_PROJECT_ENVIRONMENT",
            "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "VIRTUAL_ENV", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
            "UV_NO_INDEX",
        ]
        for name in misleading { variables[name] = nil }
        let settings = IndexSettings(environment: self.request.variables, prefix: self.prefix)
        variables.variables.merge(settings.variables) { $1 }
        variables["NO_COLOR"] = "1"
        variables["UV_NO_PROGRESS"] = "1"
        variables["UV_PYTHON_DOWNLOADS"] = "never"
        variables["GIT_TERMINAL_PROMPT"] = "0"
        return variables
    }

    private func runUV(
        _ arguments: [String],
        _ requirements: RequirementFiles = RequirementFiles(),
        isChecked: Bool = true
    ) async throws {
        var variables = self.toolVariables
        if !isChecked {
            variables["UV_REQUIRE_HASHES"] = nil
        }
        let (end, lines) = try await self.runTool(
            self.tool.path,
            self.located(arguments),
            variables,
            progress: UVProgress()
        )
        switch end {
        case .succeeded: return
        case .overdue: throw self.overdue("installing", lines)
        case .failed:
            let reading = UVFailure(
                requirements: requirements,
                plan: self.request.plan,
                interpreter: self.request.interpreter,
                // Also those that uv is given in another form, or not at all.
                variables: ProcessEnvironment(self.request.variables.variables.merging(variables.variables) { $1 }),
                lines: lines
            )
            throw self.failed(reading.failure, lines)
        }
    }

    /// Arguments that make uv work in the project.
    ///
    /// Not by starting it there: uv may be a shim of pyenv's, for which a `.python-version` means another uv, or none.
    private func located(_ arguments: [String]) -> [String] { ["--directory", self.project] + arguments }

    private func runTool(
        _ executable: String,
        _ arguments: [String],
        _ variables: ProcessEnvironment,
        in folder: String = "/",
        progress: UVProgress? = nil
    ) async throws -> (end: ToolCommand.End, lines: [String]) {
        let command = ToolCommand(
            executable: executable,
            arguments: arguments,
            environment: variables,
            workingDirectory: folder,
            limit: self.limits.install,
            watch: self.folder.watch
        )
        var progress = progress
        var lines: [String] = []
        let end = try await command.runToEnd { line in
            lines = lines.suffix(Self.readLines - 1) + [line]
            self.report(.line(line))
            if let said = progress?.take(line) { self.report(said) }
        }
        return (end, lines)
    }

    private func overdue(_ what: String, _ lines: [String]) -> EnvironmentError {
        let limit = self.limits.install.goText
        return self.failed(
            BuildFailure(reason: "\(what) did not end within \(limit) (\(BuildLimits.installVariable)) and was ended"),
            lines
        )
    }

    private func failed(_ failure: BuildFailure, _ lines: [String]) -> EnvironmentError {
        var failure = failure
        // Lines of the project may hold passwords too.
        failure.subject = failure.subject.map(ToolCommand.withoutPasswords)
        // Nobody knows the folder that a project is unpacked in.
        failure.reason = ToolCommand.withoutPasswords(failure.reason).replacing("\(self.project)/", with: "")
        failure.output = lines.filter { !UVProgress.isChatter($0) }.suffix(BuildFailure.shownLines)
        failure.log = self.log.path
        return .buildFailed(failure)
    }
}
