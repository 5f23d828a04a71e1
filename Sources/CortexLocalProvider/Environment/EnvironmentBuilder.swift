import CortexControlPlane
import CortexServing
import CortexSpec

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes environments, each once, and finds those that are there.
///
/// Environments are named by their content and never change, so any number of APIs and servers may share one.
package actor EnvironmentBuilder {
    /// The environments that are there.
    package nonisolated let store: EnvironmentStore
    private let tools: String
    private let variables: ProcessEnvironment
    /// The machine's Python, asked once.
    private var interpreter: PythonInterpreter?
    private var tool: UVTool?
    private var builds = EnvironmentBuilds()
    private let scanner: ImportScanner
    private var additions: PackageAdditions
    /// Of programs that the server itself runs, as long as it does.
    private var toolEnvironments: Set<PythonEnvironment> = []

    /// Prepares `environments`, `logs` and `tools` in `home`, and removes what earlier processes left half built.
    ///
    /// - Parameter home: `CORTEX_HOME`, an absolute path.
    package init(home: String, variables: ProcessEnvironment = .current) throws {
        self.store = EnvironmentStore(folder: "\(home)/environments", logs: "\(home)/logs/environments")
        self.tools = "\(home)/tools"
        self.variables = variables
        self.scanner = ImportScanner(cache: "\(home)/environments/imports", tools: self.tools)
        self.additions = PackageAdditions(folder: "\(home)/environments/additions")
        for folder in [self.store.folder, self.store.logs, self.tools] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        for folder in [self.store.folder, self.tools] { try BuildFolder.removeLeftovers(in: folder) }
    }

    /// The environment that a project's workers run in; made now where it is not there.
    ///
    /// Calls that need the same one wait for the same build, and all get its progress from then on. A build ends with the
    /// last of its waiters: a cancelled call throws `CancellationError`, the last one after uv's processes are gone.
    /// - Parameter progress: Takes what the build says.
    /// - Throws: ``EnvironmentError`` or `CancellationError`.
    func environment(
        for request: EnvironmentRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> PythonEnvironment {
        let (base, build) = try await self.buildRequest(for: request)
        do {
            let environment = try await self.environment(build, progress: progress)
            self.additions.succeeded(for: request.api, base: base)
            return environment
        } catch let error as CancellationError {
            throw error
        } catch {
            self.additions.failed(for: request.api, base: base)
            throw error
        }
    }

    /// Remembers that workers of the API miss `module`, which the project's sources do not show: its next environment has
    /// the package that gives it.
    ///
    /// - Returns: The package; nil where none is known, or where it would change nothing.
    func add(module: String, for request: EnvironmentRequest) async throws -> String? {
        guard let package = KnownPackages.giving(module) else { return nil }
        let (base, build) = try await self.buildRequest(for: request)
        let (_, extended) = try await self.buildRequest(for: request, adding: package.name)
        guard extended.key != build.key else { return nil }
        self.additions.add(package.name, for: request.api, base: base)
        return package.name
    }

    /// What is to be built for an API, and the key of what would be without the packages that its workers were found to miss.
    private func buildRequest(
        for request: EnvironmentRequest,
        adding addition: String? = nil
    ) async throws -> (base: EnvironmentKey, build: BuildRequest) {
        let interpreter = try await self.currentInterpreter()
        let requirements = RequirementFiles(projectFolder: request.projectFolder)
        var inputs = PackagePlan.Inputs(
            type: request.spec.predictor.type,
            imports: try await self.scanner.imports(of: request, interpreter: interpreter),
            own: requirements.names,
            variables: request.variables,
            target: PackageTarget(
                platform: interpreter.platform,
                python: interpreter.version,
                hasGPU: request.spec.compute.gpu > 0
            )
        )
        func build() -> BuildRequest {
            var plan = PackagePlan(inputs)
            plan.requirements = (plan.requirements + WorkerPackage.requirements).sorted()
            let key = EnvironmentKey(
                interpreter: interpreter,
                requirements: requirements,
                plan: plan,
                project: request.project
            )
            return BuildRequest(
                key: key,
                interpreter: interpreter,
                projectFolder: request.projectFolder,
                hasRequirements: !requirements.files.isEmpty,
                plan: plan
            )
        }
        let base = build()
        inputs.additions = self.additions.packages(for: request.api, base: base.key) + (addition.map { [$0] } ?? [])
        return (base.key, inputs.additions.isEmpty ? base : build())
    }

    /// An environment for a program of the server's own.
    package func toolEnvironment(
        packages: [String],
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> PythonEnvironment {
        let interpreter = try await self.currentInterpreter()
        let plan = PackagePlan(requirements: packages.sorted())
        let key = EnvironmentKey(
            interpreter: interpreter,
            requirements: RequirementFiles(),
            plan: plan,
            project: nil
        )
        let environment = try await self.environment(
            BuildRequest(
                key: key,
                interpreter: interpreter,
                projectFolder: self.tools,
                hasRequirements: false,
                plan: plan
            ),
            progress: { progress($0.text) }
        )
        self.toolEnvironments.insert(environment)
        return environment
    }

    /// The environment of `request`, as it is or built now.
    private func environment(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> PythonEnvironment {
        let key = request.key
        if let lease = self.store.lease(key) {
            return PythonEnvironment(key: key, folder: self.store.path(of: key), lease: lease)
        }

        let waiter = self.builds.nextID()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The handler may have run before there was anything to cancel.
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                let waiting = EnvironmentBuilds.Waiter(progress: progress, continuation: continuation)
                guard let id = self.builds.join(waiting, as: waiter, key: key) else { return }
                // Outlives the call that begins it where others wait too; `finish` ends it for all.
                self.builds.started(id, task: Task { await self.run(request, build: id) })
            }
        } onCancel: {
            // A handler cannot wait for the actor.
            Task { await self.leave(waiter) }
        }
    }

    private func currentInterpreter() async throws -> PythonInterpreter {
        if let interpreter = self.interpreter, ProcessEnvironment.isExecutable(interpreter.path) { return interpreter }
        let interpreter = try await PythonInterpreter.find(in: self.variables)
        self.interpreter = interpreter
        return interpreter
    }

    private func leave(_ waiter: UInt64) {
        switch self.builds.leave(waiter) {
        case .nothing: break
        case .resume(let waiter): waiter.continuation.resume(throwing: CancellationError())
        case .cancel(let task): task?.cancel()
        }
    }

    private func run(_ request: BuildRequest, build: UInt64) async {
        let result: Result<PythonEnvironment, any Error>
        do {
            let lease = try await self.build(request) { said in
                for waiter in self.builds.waiters(of: build) { waiter.progress(said) }
            }
            let folder = self.store.path(of: request.key)
            result = .success(PythonEnvironment(key: request.key, folder: folder, lease: lease))
        } catch {
            result = .failure(error)
        }
        for waiter in self.builds.finish(build) { waiter.continuation.resume(with: result) }
    }

    private func build(_ request: BuildRequest, progress: (BuildProgress) -> Void) async throws -> FolderLease {
        let log = try BuildLog(path: "\(self.store.logs)/\(request.key).log")
        func report(_ said: BuildProgress) {
            log.append(said.text)
            progress(said)
        }
        let tool = try await self.currentTool(request.interpreter, progress: { report(.line($0)) })
        let folder = try BuildFolder(in: self.store.folder)
        for step in request.steps(in: "\(folder.path)/venv", tool: tool, variables: self.variables) {
            report(.step(step.name))
            var last: [String] = []
            let succeeded = try await step.command.run { line in
                report(.line(line))
                last = last.suffix(BuildRequest.shownLines - 1) + [line]
            }
            guard succeeded else {
                throw EnvironmentError.buildFailed(step: step.name, output: last, log: log.path)
            }
        }
        try Task.checkCancellation()
        return try self.store.publish("venv", in: folder, as: request.key)
    }

    private func currentTool(
        _ interpreter: PythonInterpreter,
        progress: (String) -> Void
    ) async throws -> UVTool {
        if let tool = self.tool, ProcessEnvironment.isExecutable(tool.path) { return tool }
        let tool = try await UVTool.find(
            in: self.variables,
            tools: self.tools,
            interpreter: interpreter,
            progress: progress
        )
        self.tool = tool
        return tool
    }
}
