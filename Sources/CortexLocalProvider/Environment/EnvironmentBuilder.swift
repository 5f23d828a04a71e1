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
    /// Nothing can be made here, as in a pod that another process has prepared: what is there is all that there is.
    nonisolated let isReadOnly: Bool
    private let variables: ProcessEnvironment
    private let limits: BuildLimits
    private let interpreters: KnownInterpreters
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
        self.limits = try BuildLimits(variables)
        self.interpreters = KnownInterpreters(file: "\(home)/tools/interpreters.json", variables: variables)
        self.scanner = ImportScanner(cache: "\(home)/environments/imports", tools: self.tools)
        self.additions = PackageAdditions(folder: "\(home)/environments/additions")
        for folder in [self.store.folder, self.store.logs, self.tools] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        self.isReadOnly = !FileManager.default.isWritableFile(atPath: self.store.folder)
        guard !self.isReadOnly else { return }
        try BuildFolder.removeLeftovers(in: self.tools)
        try self.store.removeUnfinished()
    }

    /// Refuses a `CORTEX_PYTHON` that cannot carry workers, before any API is to run on it.
    package func checkInterpreter() async throws {
        try await self.interpreters.checkNamed()
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
        guard !self.isReadOnly, let package = KnownPackages.giving(module) else { return nil }
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
        let requirements = RequirementFiles(projectFolder: request.projectFolder)
        let wish = try PythonWish.read(projectFolder: request.projectFolder, pyProject: requirements.pyProject)
        let interpreter = try await self.interpreters.interpreter(for: wish)
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
        func build() throws -> BuildRequest {
            var plan = PackagePlan(inputs)
            plan.requirements = (plan.requirements + WorkerPackage.requirements).sorted()
            return try BuildRequest(request, interpreter: interpreter, requirements: requirements, plan: plan)
        }
        let base = try build()
        inputs.additions = self.additions.packages(for: request.api, base: base.key) + (addition.map { [$0] } ?? [])
        return (base.key, inputs.additions.isEmpty ? base : try build())
    }

    /// An environment for a program of the server's own.
    package func toolEnvironment(
        packages: [String],
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> PythonEnvironment {
        let build = BuildRequest(
            interpreter: try await self.interpreters.interpreter(for: nil),
            projectFolder: self.tools,
            plan: PackagePlan(requirements: packages.sorted()),
            variables: self.variables
        )
        let environment = try await self.environment(build, progress: { progress($0.text) })
        self.toolEnvironments.insert(environment)
        return environment
    }

    /// The environment of `request`, as it is or built now.
    private func environment(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws -> PythonEnvironment {
        let key = request.key
        if let environment = self.store.environment(key) { return environment }

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
            let environment = try await self.build(request) { said in
                for waiter in self.builds.said(said, by: build) { waiter.progress(said) }
            }
            result = .success(environment)
        } catch {
            result = .failure(error)
        }
        for waiter in self.builds.finish(build) { waiter.continuation.resume(with: result) }
    }

    private func build(
        _ request: BuildRequest,
        progress: @escaping (BuildProgress) -> Void
    ) async throws -> PythonEnvironment {
        let place = self.store.place(for: request.key)
        let right = try await place.claim { progress(.status("another server builds the same environment")) }
        defer { right.end() }
        // It was another that built it.
        if let environment = place.environment { return environment }
        return try await self.make(request, in: place, progress: progress)
    }

    /// In a function of its own, so that what is left of a failed build is gone when the claim ends.
    private func make(
        _ request: BuildRequest,
        in place: EnvironmentPlace,
        progress: @escaping (BuildProgress) -> Void
    ) async throws -> PythonEnvironment {
        let log = try BuildLog(path: self.store.log(of: "\(request.key)"))
        func report(_ said: BuildProgress) {
            if !said.isPassing { log.append(said.text) }
            progress(said)
        }
        let tool = try await self.currentTool(request.interpreter, progress: { report(.line($0)) })
        let folder = try BuildFolder(in: place.path)
        let build = EnvironmentBuild(
            request: request,
            tool: tool,
            limits: self.limits,
            folder: folder,
            log: log,
            report: report
        )
        try await build.run()
        try Task.checkCancellation()
        let environment = try place.publish(folder)
        self.store.built()
        return environment
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
