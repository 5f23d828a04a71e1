import CortexTelemetry
import CortexWire
import Logging
import NIOCore
import NIOPosix
import Subprocess

#if canImport(System)
import System
#else
import SystemPackage
#endif

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The process behind the agent: started, connected, watched, started again.
extension StorageAgent {
    typealias Connection = NIOAsyncChannel<Frame, Frame>

    /// From the fork to the connection: a busy machine takes its time to load obstore.
    private static let patience = Duration.seconds(60)

    /// Runs the process while there is something to ask; cancelling the task ends it, and every request.
    package func run() async {
        var failures = 0
        for await _ in self.wishes.stream {
            if self.requests.isEmpty { continue }
            self.stage = .starting
            let (end, wasConnected) = await self.runProcess()
            self.stage = .idle
            if Task.isCancelled { break }
            failures = wasConnected ? 1 : failures + 1
            self.logger.warning("the storage agent ended", metadata: ["error": "\(end)"])
            self.failAll(.failed(end))
            // What is asked meanwhile waits for the next start.
            try? await Task.sleep(for: self.backoff(failures))
        }
        self.stage = .stopped
        self.failAll(Self.stopped)
    }

    /// One life of the process; returns how it ended, in a sentence, and whether it had ever connected.
    private func runProcess() async -> (end: String, wasConnected: Bool) {
        let logger = self.logger
        let python: String
        do {
            python = try await self.launch.python { line in
                logger.info("preparing the storage agent", metadata: ["line": "\(line)"])
            }
        } catch {
            return ("the Python environment of the storage agent cannot be made: \(error)", false)
        }
        do {
            let server = try await ServerBootstrap(group: self.eventLoops)
                .bind(unixDomainSocketPath: self.launch.socket, cleanupExistingSocketFile: true) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AgentFrameHandler())
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
            defer { unlink(self.launch.socket) }
            return try await server.executeThenClose { connections in
                await self.runProcess(python, connections: connections)
            }
        } catch {
            return ("the storage agent cannot be started: \(error)", false)
        }
    }

    private enum Part: Sendable {
        case process(String)
        case conversation(wasConnected: Bool)
    }

    /// The process and the conversation with it; whichever ends first takes the other with it.
    private func runProcess(
        _ python: String,
        connections: NIOAsyncChannelInboundStream<Connection>
    ) async -> (end: String, wasConnected: Bool) {
        let token = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
        return await withTaskGroup(of: Part?.self) { group in
            group.addTask { .process(await self.runPython(python, token: token)) }
            group.addTask { .conversation(wasConnected: await self.converse(connections, token: token)) }
            group.addTask {
                guard (try? await Task.sleep(for: Self.patience)) != nil, await !self.isConnected else { return nil }
                return .conversation(wasConnected: false)
            }
            var end = "the storage agent did not connect; it is started again"
            var wasConnected = false
            for await part in group {
                switch part {
                case .process(let text): end = text
                case .conversation(let connected): wasConnected = wasConnected || connected
                case nil: continue
                }
                group.cancelAll()
            }
            return (end, wasConnected)
        }
    }

    private var isConnected: Bool {
        if case .connected = self.stage { true } else { false }
    }

    /// Returns how the process ended, once it is gone with all that it has started.
    private nonisolated func runPython(_ python: String, token: String) async -> String {
        var environment: [Environment.Key: String] = [:]
        for (key, value) in self.launch.environment { environment[Environment.Key(stringLiteral: key)] = value }
        environment["CORTEX_STORAGE_TOKEN"] = token
        var options = PlatformOptions()
        // A Ctrl-C for the server does not reach it; what it is asked for ends in order.
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let configuration = Configuration(
            executable: .path(FilePath(python)),
            // Neither PYTHON* variables nor a user's own packages: they are meant for the user's programs.
            arguments: ["-E", "-s", "\(self.launch.package)/cortex-storage.py", "--socket", self.launch.socket],
            environment: .custom(environment),
            platformOptions: options
        )
        do {
            let claim = try Descriptors.claimStart()
            let result = try await Subprocess.run(
                configuration,
                input: .none,
                output: .sequence,
                error: .combinedWithOutput
            ) { process in
                claim.release()
                let pid = process.processIdentifier.value
                self.launch.started(pid)
                defer { self.launch.ended(pid) }
                var last: String?
                for try await line in process.standardOutput.strings(bufferingPolicy: .unbounded) {
                    self.logger.warning("the storage agent says", metadata: ["line": "\(line.escaped)"])
                    last = line.escaped
                }
                return last
            }
            let reason = result.closureResult.map { ": \($0)" } ?? ""
            return "the storage agent ended (\(result.terminationStatus))\(reason); it is started again"
        } catch {
            return "the storage agent cannot be run: \(error)"
        }
    }

    /// Waits for the process to connect, and talks with it until it closes the connection; returns whether it came.
    private func converse(_ connections: NIOAsyncChannelInboundStream<Connection>, token: String) async -> Bool {
        do {
            for try await connection in connections {
                // Others than the process cannot reach the socket's folder; one that cannot say the token is cut off.
                let wasAgent = try await connection.executeThenClose { inbound, outbound in
                    var frames = inbound.makeAsyncIterator()
                    guard
                        let hello = try await frames.next(), hello.kind == .hello,
                        try hello.decoded(as: AgentHello.self).isFrom(token: token)
                    else { return false }
                    try await self.talk(&frames, outbound)
                    return true
                }
                if wasAgent { return true }
                self.logger.warning("a connection to the storage agent's socket was refused")
            }
        } catch is CancellationError {
            return self.isConnected
        } catch {
            self.logger.warning("the storage agent's connection broke", metadata: ["error": "\(error)"])
            return self.isConnected
        }
        return false
    }

    private func talk(
        _ frames: inout NIOAsyncChannelInboundStream<Frame>.AsyncIterator,
        _ outbound: NIOAsyncChannelOutboundWriter<Frame>
    ) async throws {
        // As long as the requests that are under way: each adds its frames and one to cancel it.
        let (outbox, continuation) = AsyncStream.makeStream(of: Frame.self, bufferingPolicy: .unbounded)
        self.stage = .connected(continuation)
        self.sendUnsent(to: continuation)
        async let writing: Void = {
            for await frame in outbox { try await outbound.write(frame) }
        }()
        defer { continuation.finish() }
        while let frame = try await frames.next(isolation: #isolation) {
            switch try self.requests.received(frame) {
            case .nothing: break
            case .progress(let count, let report): report(count)
            case .finish(let outcome, let finish): finish(outcome)
            }
        }
        continuation.finish()
        try await writing
    }
}
