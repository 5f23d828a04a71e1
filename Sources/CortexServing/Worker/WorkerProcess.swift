import CortexTelemetry
import Logging
import NIOCore
import Subprocess

#if canImport(System)
import System
#else
import SystemPackage
#endif

/// One start of one worker: from the fork to the last byte it wrote.
struct WorkerProcess {
    let name: String
    let replica: String
    let launch: WorkerLaunch
    let queue: AdmissionQueue
    let registry: WorkerRegistry
    let ledger: WorkerLedger
    let log: @Sendable (LogMessage) -> Void

    /// What a process told of itself before it ended.
    struct Outcome: Sendable {
        var exit: WorkerExit
        var failure: FailedMessage?
    }

    /// Runs until the process has ended; cancelling the task ends it at once.
    /// - Parameters:
    ///   - onGivenUp: Called before the process is ended for having closed its connection.
    ///   - onReady: Called once all its slots are open.
    func run(
        onStart: (Int32) -> Void,
        onGivenUp: @escaping @Sendable (Int32) async -> Void,
        onReady: @escaping @Sendable (ReadyMessage) async -> Void,
        onMissing: @escaping @Sendable (MissingMessage) async -> Void,
        onCounted: @escaping @Sendable (ModelCounts) async -> Void
    ) async throws -> Outcome {
        let (reports, continuation) = AsyncStream.makeStream(of: WorkerReport.self, bufferingPolicy: .unbounded)
        // Lines go straight to the log; only the few reports of a life's stages wait in the stream.
        let log = self.log
        let token = Self.makeToken()
        self.registry.expect(
            self.name,
            of: self.replica,
            token: token,
            welcome: self.launch.welcome,
            models: self.launch.models.welcome
        ) { report in
            if case .log(let message) = report { log(message) } else { continuation.yield(report) }
        }
        defer { self.registry.forget(self.name) }

        var environment: [Environment.Key: String] = [:]
        for (key, value) in self.launch.environment { environment[Environment.Key(stringLiteral: key)] = value }
        environment["CORTEX_WORKER_TOKEN"] = token
        // Tells whose a process is that has left the worker's session.
        environment["CORTEX_WORKER"] = self.name
        var options = PlatformOptions()
        // A session of its own: a Ctrl-C for the server does not reach it, and its children can be ended with it.
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let result: ExecutionResult<FailedMessage?, SequenceOutput, CombinedErrorOutput>
        do {
            // Looked at before: Subprocess ends this process where a pipe cannot be made.
            let claim = try Descriptors.claimStart()
            result = try await Subprocess.run(
                Configuration(
                    executable: .path(FilePath(self.launch.python)),
                    arguments: [self.launch.package, "--socket", self.launch.socket, "--worker", self.name],
                    environment: .custom(environment),
                    workingDirectory: FilePath(self.launch.welcome.projectDirectory),
                    platformOptions: options
                ),
                input: .none,
                output: .sequence,
                error: .combinedWithOutput
            ) { process in
                claim.release()
                let pid = process.processIdentifier.value
                self.ledger.started(pid)
                onStart(pid)
                async let failure = self.follow(
                    reports,
                    pid: pid,
                    onGivenUp: onGivenUp,
                    onReady: onReady,
                    onMissing: onMissing,
                    onCounted: onCounted
                )
                // The output ends with the process and all that it started, or because the user has closed it. What the
                // worker said last may still be on its way through the control connection: why it failed, for one.
                try await self.forwardOutput(process.standardOutput)
                await self.queue.waitForDisconnect(of: self.name)
                // What the predictor started goes with its worker, however that ended. Before the process is waited for, so
                // that its number cannot have become another's.
                await onGivenUp(pid)
                WorkerSession.end(pid)
                continuation.finish()
                return await failure
            }
        } catch let error as DescriptorShortage {
            throw WorkerError.couldNotStart(reason: "\(error)")
        } catch let error as SubprocessError {
            throw WorkerError.couldNotStart(reason: "\(error)")
        }
        let exit: WorkerExit =
            switch result.terminationStatus {
            case .exited(let status): WorkerExit(status: status)
            case .signaled(let signal): .signal(signal)
            }
        return Outcome(exit: exit, failure: result.closureResult)
    }

    /// Acts on what the worker says, until its output has ended; returns why it failed to start, if it did.
    private func follow(
        _ reports: AsyncStream<WorkerReport>,
        pid: Int32,
        onGivenUp: @escaping @Sendable (Int32) async -> Void,
        onReady: @escaping @Sendable (ReadyMessage) async -> Void,
        onMissing: @escaping @Sendable (MissingMessage) async -> Void,
        onCounted: @escaping @Sendable (ModelCounts) async -> Void
    ) async -> FailedMessage? {
        await withDiscardingTaskGroup { group in
            var failure: FailedMessage?
            for await report in reports {
                switch report {
                case .ready(let ready):
                    if await self.queue.waitForSlots(self.launch.welcome.threads, of: self.name) {
                        await onReady(ready)
                    }
                case .failed(let message): failure = message
                case .missing(let message): await onMissing(message)
                case .log: break
                case .ensure(let id, let message):
                    // It may take as long as a download; what the worker says meanwhile is not held up.
                    group.addTask {
                        let answer = await self.launch.models.ensure(message, self.name)
                        await self.queue.answer(answer, to: id, of: self.name)
                    }
                case .model(let message): await self.launch.models.report(message, self.name)
                case .counted(let counts): await onCounted(counts)
                case .metrics(let message):
                    do {
                        try self.launch.userMetrics.add(message, from: self.name)
                    } catch {
                        let text = "the metrics of the predictor cannot be read: \(error)"
                        self.log(LogMessage(level: "error", message: text, requestID: nil, stream: "cortex"))
                    }
                case .disconnected:
                    // Its main thread is gone or going; whatever it started, and holds its output open, goes with it.
                    group.addTask {
                        guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
                        await onGivenUp(pid)
                        WorkerSession.end(pid)
                    }
                }
            }
            group.cancelAll()
            return failure
        }
    }

    /// What is written to descriptors 1 and 2 directly is the user's text, a line at a time.
    private func forwardOutput(_ output: SubprocessOutputSequence) async throws {
        var lines = LineSplitter()
        for try await buffer in output {
            buffer.withUnsafeBytes { bytes in
                lines.append(bytes) { line in
                    self.log(LogMessage(level: "info", message: line, requestID: nil, stream: "stdout"))
                }
            }
        }
        lines.finish { self.log(LogMessage(level: "info", message: $0, requestID: nil, stream: "stdout")) }
    }

    private static func makeToken() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    }
}
