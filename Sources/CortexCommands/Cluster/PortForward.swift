import Foundation
import NIOCore
import NIOPosix

/// One run of `kubectl port-forward`: a port of this machine that leads to a Service of a cluster.
///
/// Its processes end when this one does, however that happens: they wait for the end of a pipe that only this process holds.
final class PortForward: Sendable {
    /// On 127.0.0.1.
    let port: Int
    private let channel: any Channel
    /// Its end is that of the processes.
    private let lifeline: Int32
    private let ended: EventLoopFuture<Void>

    private init(port: Int, channel: any Channel, lifeline: Int32, ended: EventLoopFuture<Void>) {
        self.port = port
        self.channel = channel
        self.lifeline = lifeline
        self.ended = ended
    }

    /// Runs what it is given; ends it, and itself, at the end of its input.
    ///
    /// Kubectl has the output to itself, so that the end of the output is the end of kubectl.
    private static let script = #""$@" </dev/null & child=$!; exec >/dev/null 2>&1; cat; kill "$child"; wait"#

    /// Waits until it takes connections.
    /// - Parameters:
    ///   - target: Such as `service/cortex-operator`.
    ///   - local: 0 for any port that is free.
    /// - Throws: ``KubectlFailure``, with what kubectl said.
    static func open(_ kubectl: Kubectl, target: String, port: Int, local: Int = 0) async throws -> PortForward {
        let arguments = kubectl.arguments([
            "port-forward", "--address", "127.0.0.1", "--pod-running-timeout=30s", target,
            "\(local == 0 ? "" : "\(local)"):\(port)",
        ])
        let (lifeline, output) = try Self.start([kubectl.program] + arguments, changes: kubectl.changes)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let opened = loop.makePromise(of: Int.self)
        let ended = loop.makePromise(of: Void.self)
        do {
            let channel = try await NIOPipeBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Output(opened: opened, ended: ended))
                    }
                }
                .takingOwnershipOfDescriptor(input: output).get()
            return PortForward(
                port: try await opened.futureResult.get(),
                channel: channel,
                lifeline: lifeline,
                ended: ended.futureResult
            )
        } catch {
            opened.fail(error)
            Foundation.close(lifeline)
            throw error
        }
    }

    /// Ends it, and waits until its port is free.
    func close() async {
        Foundation.close(self.lifeline)
        try? await self.ended.get()
    }

    // MARK: - The processes

    private static func start(
        _ command: [String],
        changes: [String: String]
    ) throws -> (lifeline: Int32, output: Int32) {
        let input = try Self.pipe()
        let output = try Self.pipe()
        defer {
            Foundation.close(input.reader)
            Foundation.close(output.writer)
        }
        #if os(Linux)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input.reader, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.writer, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.writer, STDERR_FILENO)
        // A group of its own: Ctrl-C is this process's to hear, which then ends. And no signal blocked: the threads of a pool,
        // of which one runs this, block them all.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(changes) { $1 }
        var words = (["/bin/sh", "-c", Self.script, "cortex"] + command).map { strdup($0) } + [nil]
        var pairs = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + pairs).forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &words, &pairs)
        guard error == 0 else {
            Foundation.close(input.writer)
            Foundation.close(output.reader)
            throw CommandFailure("cannot start kubectl: \(String(cString: strerror(error)))")
        }
        return (input.writer, output.reader)
    }

    /// A pipe that no other child gets.
    private static func pipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else {
            throw CommandFailure("cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}

extension PortForward {
    /// What kubectl says: the port, then a line per connection that nobody needs.
    private final class Output: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let opened: EventLoopPromise<Int>
        private let ended: EventLoopPromise<Void>
        private var said = ""
        private var isOpen = false

        init(opened: EventLoopPromise<Int>, ended: EventLoopPromise<Void>) {
            self.opened = opened
            self.ended = ended
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            guard !self.isOpen else { return }
            self.said += text
            guard let port = Self.port(in: self.said) else { return }
            self.isOpen = true
            self.said = ""
            self.opened.succeed(port)
        }

        func channelInactive(context: ChannelHandlerContext) {
            if !self.isOpen { self.opened.fail(KubectlFailure(self.said)) }
            self.ended.succeed()
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        /// Of `Forwarding from 127.0.0.1:41234 -> 8889`; the line is whole once its arrow is there.
        private static func port(in text: String) -> Int? {
            guard let start = text.firstRange(of: "Forwarding from 127.0.0.1:")?.upperBound,
                let end = text[start...].firstRange(of: " -> ")?.lowerBound
            else { return nil }
            return Int(text[start..<end])
        }
    }
}
